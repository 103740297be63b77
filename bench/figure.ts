/** One measured figure; printed as one line of JSON. */
export interface Figure {
  bench: string;
  metric: string;
  /** Which of several situations, where the same is measured in more than one. */
  case?: string;
  value: number;
  unit: string;
  /** What the product promises; absent where nothing is promised. */
  target?: number;
  /** Does the value meet the target? */
  holds?: boolean;
  /** Who did the same work in the same run. */
  peer?: string;
  peerValue?: number;
  /** Ours divided by theirs. */
  ratio?: number;
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;

const meets = (value: number, target: number, unit: string): boolean =>
  unit.endsWith('/s') ? value >= target : value <= target;

/** Completes a figure: a lower value is better, except of a rate. */
export const figure = (measured: Omit<Figure, 'holds' | 'ratio'>): Figure => ({
  ...measured,
  value: round(measured.value),
  ...(measured.target === undefined
    ? {}
    : { holds: meets(measured.value, measured.target, measured.unit) }),
  ...(measured.peerValue === undefined
    ? {}
    : {
        peerValue: round(measured.peerValue),
        ...(measured.peerValue === 0 ? {} : { ratio: round(measured.value / measured.peerValue) }),
      }),
});

/** Middle value; the mean of the two middle ones for an even count. */
export const median = (values: readonly number[]): number => {
  if (values.length === 0) throw new Error('no data has no median');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
};
