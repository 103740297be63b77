import { greatestZ } from './mann-whitney.ts';
import { normalQuantile } from './normal-distribution.ts';

/** The |z| that a two-sided test at this confidence asks for: 2.326 at 0.98. */
export const twoSidedCriticalValue = (confidence: number): number =>
  -normalQuantile((1 - confidence) / 2);

/**
 * The fewest samples on each side with which the rank test can reach the confidence at all,
 * if every value of one side is above every value of the other. With fewer, "no difference
 * found" says nothing about the service and all about the sample.
 */
export const sampleFloor = (confidence: number): number => {
  const needed = twoSidedCriticalValue(confidence);
  let samples = 1;
  while (greatestZ(samples) < needed) samples += 1;
  return samples;
};
