import type { Assurance } from './critical-value.ts';

/** Which change counts. The significance is two-sided for all three. */
export type Direction = 'increase' | 'decrease' | 'either';

/** What a judge is told beside the samples. */
export interface JudgeRule extends Assurance {
  direction: Direction;
  /**
   * The smallest change that matters, relative to the control's mean: 0.05 for 5 %. Absent
   * where every proven change matters.
   */
  effectThreshold?: number;
}

export interface SidesOf<T> {
  control: T;
  experiment: T;
}

export type SameReason =
  'not-significant' | 'within-tolerance' | 'effect-below-threshold' | 'change-not-judged';

/**
 * The experiment beside the control, with the numbers that led there. `same` says that no
 * change was proven with this sample; what a sample of this size could have proven is
 * `detectableChange`. Inconclusive is neither good nor bad news, and never a pass.
 */
export type Judgement<Numbers> =
  | ({ verdict: 'high' | 'low'; because: 'significant' } & Numbers)
  | ({ verdict: 'same'; because: SameReason } & Numbers)
  | {
      verdict: 'inconclusive';
      because: 'too-few-samples' | 'unusable-samples';
      samples: SidesOf<number>;
      sampleFloor: number;
    };

/** What was seen of a change. */
export interface Seen {
  /** Absent where nothing is significant. */
  side: 'high' | 'low' | undefined;
  clearOfTolerance: boolean;
  /** Relative change of the mean; null where the control's mean is 0. */
  effect: number | null;
}

type Conclusion =
  { verdict: 'high' | 'low'; because: 'significant' } | { verdict: 'same'; because: SameReason };

/** Thresholds are written in percent; this keeps the last bit of a float from deciding. */
const rounding = 1e-9;

/** An undefined effect leaves the decision to the other two criteria. */
const isBelowThreshold = ({ effectThreshold }: JudgeRule, { side, effect }: Seen): boolean => {
  if (effectThreshold === undefined || effect === null) return false;
  return (side === 'low' ? -effect : effect) < effectThreshold - rounding;
};

const judged = { increase: ['high'], decrease: ['low'], either: ['high', 'low'] } as const;

/** Significant, clear of the tolerance, large enough and in a direction that counts. */
export const conclude = (rule: JudgeRule, seen: Seen): Conclusion => {
  if (seen.side === undefined) return { verdict: 'same', because: 'not-significant' };
  if (!seen.clearOfTolerance) return { verdict: 'same', because: 'within-tolerance' };
  if (isBelowThreshold(rule, seen)) return { verdict: 'same', because: 'effect-below-threshold' };
  const counts: readonly string[] = judged[rule.direction];
  return counts.includes(seen.side)
    ? { verdict: seen.side, because: 'significant' }
    : { verdict: 'same', because: 'change-not-judged' };
};
