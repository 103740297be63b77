import type { Stage } from './release-stage.ts';

/** How a release that touched something ended, for the figures of a team's delivery. */
export interface EndedRelease {
  /** Of the run's first execution: however often it is told, it is one release. */
  runId: string;
  service: string;
  environment: string;
  release: string;
  /** Both others were put back: `failed` by itself, `aborted` because somebody stopped it. */
  ending: 'deployed' | 'failed' | 'aborted';
  endedAtMs: number;
  /** From the commit until the new version served everyone. */
  leadTimeMs?: number;
  /** From the first bad sample until everything was proven to be as before. */
  restoreMs?: number;
}

/** When the new version served everyone and counted as good; keeping the one before is no waiting. */
export const servedEveryoneAtMs = (stages: readonly Stage[]): number | undefined =>
  startOf(stages, 'retain') ?? startOf(stages, 'prove');

const startOf = (stages: readonly Stage[], wanted: string): number | undefined =>
  stages.find(({ name }) => name === wanted)?.startedAtMs;

interface BadSigns {
  samples: readonly { atMs: number; gate: string; versions: readonly { failures: number }[] }[];
  failedStep: string | undefined;
  /** When the release turned back. */
  failedAtMs: number;
}

/** The first failure that the gate saw which failed; where none was measured, the moment it failed. */
export const firstBadAtMs = ({ samples, failedStep, failedAtMs }: BadSigns): number =>
  samples
    .filter(({ gate, versions }) => gate === failedStep && versions.some(hasFailures))
    .reduce((firstMs, { atMs }) => Math.min(firstMs, atMs), failedAtMs);

const hasFailures = ({ failures }: { failures: number }): boolean => failures > 0;
