import type { Stage } from './release-stage.ts';

/** How a release that touched something ended, for the figures of a team's delivery. */
export interface EndedRelease {
  /** Of the run's first execution: however often it is told, it is one release. */
  runId: string;
  service: string;
  environment: string;
  release: string;
  /**
   * `failed` by itself, `aborted` because somebody stopped it; both were put back, but for one whose
   * run died and was left as it was.
   */
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

/** A release whose run died after it had written, and what became of it by an operator's decision. */
interface LostRelease {
  /** Of its claim. */
  requestId: string;
  outcome: 'adopted' | 'left-as-is' | 'restored-exactly' | 'restored-with-exceptions';
  lostAtMs: number | undefined;
  endedAtMs: number;
}

/**
 * A run that died is a failed change, put back or not, unless somebody took its state as good. No
 * sample tells when it became bad; that it was lost is the first that is known.
 */
export const endingOfLost = ({
  requestId,
  outcome,
  lostAtMs,
  endedAtMs,
}: LostRelease): Pick<EndedRelease, 'runId' | 'ending' | 'endedAtMs' | 'restoreMs'> => {
  // The id of a claim is that of the workflow and of its first execution.
  const runId = requestId.slice(requestId.lastIndexOf('/') + 1);
  if (outcome === 'adopted') return { runId, ending: 'deployed', endedAtMs };
  const isBack = outcome !== 'left-as-is' && lostAtMs !== undefined;
  const restored = isBack ? { restoreMs: endedAtMs - lostAtMs } : {};
  return { runId, ending: 'failed', endedAtMs, ...restored };
};
