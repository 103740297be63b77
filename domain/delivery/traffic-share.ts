/**
 * Did the share of the traffic follow the weight? What an API accepted is not what a proxy
 * does, so the answers themselves are counted by the version that gave them.
 */
export interface VersionCount {
  readonly version: string;
  readonly samples: number;
  readonly failures: number;
}

/** How far a share may be off; the conformance tests of the Gateway API allow as much. */
const tolerancePercent = 5;

export interface ShareVerdict {
  readonly measuredPercent: number;
  readonly follows: boolean;
}

/**
 * The share of one version in the answers. Nobody may answer whose weight is 0. No answer at
 * all is no data: undefined.
 */
export const judgeShare = (
  counts: readonly VersionCount[],
  wanted: { readonly version: string; readonly weightPercent: number },
): ShareVerdict | undefined => {
  const total = counts.reduce((sum, { samples }) => sum + samples, 0);
  if (total === 0) return undefined;
  const own = counts.find(({ version }) => version === wanted.version)?.samples ?? 0;
  const measuredPercent = Math.round((own / total) * 1_000) / 10;
  const { weightPercent } = wanted;
  const isEdge = weightPercent === 0 || weightPercent === 100;
  const off = Math.abs(measuredPercent - weightPercent);
  return { measuredPercent, follows: isEdge ? off === 0 : off <= tolerancePercent };
};

/**
 * The samples by which the candidate is judged: its own answers, and those that say nothing of
 * their version, because a proxy that cannot reach it answers in its place.
 */
export const samplesOf = (
  counts: readonly VersionCount[],
  version: string,
): { samples: number; failures: number } => {
  const own = counts.filter((count) => count.version === version);
  const nameless = counts.filter((count) => count.version === '');
  const failuresOf = (list: readonly VersionCount[]): number =>
    list.reduce((sum, { failures }) => sum + failures, 0);
  const samples = own.reduce((sum, count) => sum + count.samples, 0);
  return {
    samples: samples + failuresOf(nameless),
    failures: failuresOf(own) + failuresOf(nameless),
  };
};
