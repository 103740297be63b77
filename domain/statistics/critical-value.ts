import { spentAlpha } from './alpha-spending.ts';
import { twoSidedCriticalValue } from './sample-floor.ts';
import { sequentialCriticalValues } from './sequential-boundary.ts';

/** How sure a judgement has to be, over all looks together. */
export interface Assurance {
  /** Two-sided, between 0 and 1: 0.98. */
  confidence: number;
  /**
   * Share of the planned samples that was in at each look so far, this one last; absent where
   * there is one look only. Looking each minute for 20 minutes at 98 % is not 98 %.
   */
  looks?: readonly number[];
}

/** The |z| that is significant at this look. */
export const criticalValue = ({ confidence, looks }: Assurance): number => {
  if (looks === undefined) return twoSidedCriticalValue(confidence);
  const values = sequentialCriticalValues(looks, (share) => spentAlpha(1 - confidence, share));
  return values.at(-1) ?? twoSidedCriticalValue(confidence);
};
