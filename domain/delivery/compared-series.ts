import { detectableChange } from '../statistics/detectable-change.ts';
import { judgeSeries } from '../statistics/judge-series.ts';
import type { Direction, SidesOf } from '../statistics/judgement.ts';
import { logSpread } from '../statistics/log-spread.ts';

/** How the new version is compared with the stable one. */
export interface ComparisonRule {
  readonly direction: Direction;
  readonly confidencePercent: number;
  readonly tolerance: number;
  readonly effectThreshold?: number | undefined;
}

/** What one look at both series says. */
export interface Look {
  readonly state: 'worse' | 'not-worse' | 'too-few';
  /** For the reader: what was seen, and what a change would have had to be to be seen. */
  readonly note: string;
  readonly samples: number;
}

const percent = (ratio: number): string => `${ratio >= 0 ? '+' : ''}${(ratio * 100).toFixed(1)} %`;

/** The change that so many samples show with 90 % power; nothing where none would be seen. */
const sensitivity = (
  rule: ComparisonRule,
  sides: SidesOf<readonly number[]>,
  looks: readonly number[],
): string => {
  const spread = logSpread(sides.control);
  if (spread === undefined) return '';
  const seen = detectableChange({
    samples: { control: sides.control.length, experiment: sides.experiment.length },
    logSpread: spread,
    tolerance: rule.tolerance,
    direction: rule.direction === 'decrease' ? 'decrease' : 'increase',
    confidence: rule.confidencePercent / 100,
    looks,
  });
  return seen === undefined
    ? '; no change would have been seen with so few samples'
    : `; a change of ${percent(seen)} or more is seen with 90 % power`;
};

/** Looks at both series, the stable one as control. `looks`: shares of the plan that were in. */
export const lookAt = (
  rule: ComparisonRule,
  sides: SidesOf<readonly number[]>,
  looks: readonly number[],
): Look => {
  const { direction, tolerance, effectThreshold, confidencePercent } = rule;
  const judgement = judgeSeries({
    ...sides,
    direction,
    tolerance,
    confidence: confidencePercent / 100,
    looks,
    ...(effectThreshold === undefined ? {} : { effectThreshold }),
  });
  const samples = Math.min(sides.control.length, sides.experiment.length);
  if (judgement.verdict === 'inconclusive') {
    const note = `${samples} samples a side, ${judgement.sampleFloor} are needed`;
    return { state: 'too-few', note, samples };
  }
  const change = judgement.effect === null ? '' : ` ${percent(judgement.effect)}`;
  if (judgement.verdict === 'same') {
    return {
      state: 'not-worse',
      note: `no proven change${change}${sensitivity(rule, sides, looks)}`,
      samples,
    };
  }
  const note = `${judgement.verdict}${change} against the stable version, with ${confidencePercent} % confidence`;
  return { state: 'worse', note, samples };
};
