import type { VersionCounts } from './port.ts';

/** What of a version a heartbeat carries; latencies are not in it, for their size. */
export type VersionProgress = Pick<VersionCounts, 'version' | 'samples' | 'failures'>;

export interface VersionAnswer {
  version: string;
  failed: boolean;
  latencyMs: number;
}

export interface VersionTally {
  add(answer: VersionAnswer): void;
  of(version: string): { samples: number; failures: number };
  progress(): VersionProgress[];
  counts(): (VersionProgress & { latenciesMs: readonly number[] })[];
}

export interface TallySettings {
  earlier: readonly VersionProgress[];
  /** Told apart even if ten others came before it, because a limit is set on it. */
  watched?: string | undefined;
}

const maxVersions = 10;
const anyOther = 'other';
const none = '';

/** Counts by version. Bounded, because a service may put anything into a header. */
export const createVersionTally = ({ earlier, watched }: TallySettings): VersionTally => {
  const tallies = new Map(
    earlier.map((counts) => [counts.version, { ...counts, latenciesMs: [] as number[] }]),
  );
  const isNamed = (version: string): boolean =>
    version !== none && version !== anyOther && version !== watched;
  const nameOf = (version: string): string => {
    if (!isNamed(version) || tallies.has(version)) return version;
    return [...tallies.keys()].filter(isNamed).length < maxVersions ? version : anyOther;
  };
  return {
    add({ version, failed, latencyMs }) {
      const name = nameOf(version);
      const tally = tallies.get(name) ?? {
        version: name,
        samples: 0,
        failures: 0,
        latenciesMs: [],
      };
      tally.samples += 1;
      if (failed) tally.failures += 1;
      tally.latenciesMs.push(latencyMs);
      tallies.set(name, tally);
    },
    of: (version) => tallies.get(version) ?? { samples: 0, failures: 0 },
    progress: () =>
      [...tallies.values()].map(({ version, samples, failures }) => ({
        version,
        samples,
        failures,
      })),
    counts: () => [...tallies.values()],
  };
};
