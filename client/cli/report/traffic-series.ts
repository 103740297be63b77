import { clockText, percentText } from '../explain/wording.ts';
import { failedOf } from '../rollout-line.ts';
import type { Line, Point } from './chart.ts';
import type { TrafficSample } from './release-report.ts';

type Counts = TrafficSample['versions'][number];

/** A version that was seen in the answers, and how charts draw it. */
export interface SeenVersion {
  version: string;
  name: string;
  /** `new` and `old` where the shares tell which is which. */
  role: 'new' | 'old' | 'other';
}

/** More lines than this cannot be told apart. */
const mostVersions = 4;

/**
 * The versions of a release, the new one first. Which one is new follows from the shares: it is
 * the one whose share of the answers goes with the weight. Where two fit alike, none is named.
 */
export const versionsOf = (samples: readonly TrafficSample[]): SeenVersion[] => {
  const totals = new Map<string, number>();
  for (const { version, samples: count } of samples.flatMap(({ versions }) => versions)) {
    totals.set(version, (totals.get(version) ?? 0) + count);
  }
  const named = [...totals].filter(([version]) => version !== '');
  const seen = (named.length > 0 ? named : [...totals])
    .toSorted(([, left], [, right]) => right - left)
    .slice(0, mostVersions)
    .map(([version]) => version);
  const candidate = candidateOf(seen, samples);
  return seen
    .map((version) => ({ version, name: nameOf(version), role: roleOf(version, candidate, seen) }))
    .toSorted((left, right) => roles.indexOf(left.role) - roles.indexOf(right.role));
};

const roles = ['new', 'old', 'other'];

const nameOf = (version: string): string => (version === '' ? 'all answers' : version);

const roleOf = (
  version: string,
  candidate: string | undefined,
  seen: readonly string[],
): SeenVersion['role'] => {
  if (version === '' || candidate === undefined) return 'other';
  if (version === candidate) return 'new';
  return seen.length === 2 ? 'old' : 'other';
};

/** Closer than this, two versions fit the weights alike. */
const leastDifference = 1;

const candidateOf = (
  seen: readonly string[],
  samples: readonly TrafficSample[],
): string | undefined => {
  const weighed = samples.filter((sample) => sample.weightPercent !== undefined);
  if (weighed.length === 0 || seen.includes('')) return undefined;
  const off = (version: string): number =>
    weighed.reduce(
      (sum, sample) => sum + Math.abs(sharePercent(sample, version) - (sample.weightPercent ?? 0)),
      0,
    ) / weighed.length;
  const [best, next] = seen
    .map((version) => ({ version, off: off(version) }))
    .toSorted((left, right) => left.off - right.off);
  const isClear =
    next === undefined || (best !== undefined && next.off - best.off > leastDifference);
  return isClear ? best?.version : undefined;
};

const sharePercent = ({ versions }: TrafficSample, version: string): number => {
  const total = versions.reduce((sum, { samples }) => sum + samples, 0);
  const own = versions.find((counts) => counts.version === version)?.samples ?? 0;
  return total === 0 ? 0 : (own / total) * 100;
};

/** What of a version is drawn, and how it is told to whoever points at it. */
export interface Measure {
  role: string;
  valueOf: (counts: Counts, sample: TrafficSample) => number | null;
  labelOf: (counts: Counts) => string;
}

/** The line of one version. Windows without an answer of it are gaps, as is the time between gates. */
export const lineOfVersion = (
  samples: readonly TrafficSample[],
  version: string,
  { role, valueOf, labelOf }: Measure,
): Line => {
  const stretches: Point[][] = [];
  let gate: string | undefined;
  for (const sample of samples) {
    const counts = sample.versions.find((one) => one.version === version);
    const value = counts === undefined || counts.samples === 0 ? null : valueOf(counts, sample);
    if (counts === undefined || value === null) {
      gate = undefined;
      continue;
    }
    const when = clockText(sample.atMs, sample.atMs);
    const point = { atMs: sample.atMs, value, label: `${when}: ${labelOf(counts)}` };
    if (gate === sample.gate) stretches.at(-1)?.push(point);
    else stretches.push([point]);
    ({ gate } = sample);
  }
  return { role, stretches };
};

export const failureRatioLines = (
  samples: readonly TrafficSample[],
  versions: readonly SeenVersion[],
): Line[] =>
  versions.map(({ version, role, name }) =>
    lineOfVersion(samples, version, {
      role,
      valueOf: ({ failures, samples: count }) => failures / count,
      labelOf: (counts) =>
        `${name}: ${failedOf(counts)} (${percentText(counts.failures / counts.samples)})`,
    }),
  );

export const latencyLines = (
  samples: readonly TrafficSample[],
  versions: readonly SeenVersion[],
): Line[] =>
  versions.flatMap(({ version, role, name }) =>
    ([99, 50] as const).map((percentile) =>
      lineOfVersion(samples, version, {
        role: `${role} p${String(percentile)}`,
        valueOf: (counts) => latencyOf(counts, percentile),
        labelOf: (counts) =>
          `${name}: p${String(percentile)} ${String(latencyOf(counts, percentile))} ms`,
      }),
    ),
  );

const latencyOf = (counts: Counts, percentile: 50 | 99): number | null =>
  percentile === 50 ? counts.latencyP50Ms : counts.latencyP99Ms;

/** The share that the new version had of the answers; nothing where nobody can tell. */
export const measuredShareLine = (
  samples: readonly TrafficSample[],
  versions: readonly SeenVersion[],
): Line[] =>
  versions
    .filter(({ role }) => role === 'new')
    .map(({ version, name }) =>
      lineOfVersion(samples, version, {
        role: 'measured',
        valueOf: (_counts, sample) => sharePercent(sample, version),
        labelOf: ({ samples: count }) => `${String(count)} answers of ${name}`,
      }),
    );

export const greatestOf = (lines: readonly Line[]): number =>
  Math.max(0, ...lines.flatMap(({ stretches }) => stretches.flat().map(({ value }) => value)));
