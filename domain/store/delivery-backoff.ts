const firstMs = 1_000;
const longestMs = 300_000;

/** How long a target that failed so many times in a row is left alone. */
export const backoffMs = (failures: number): number =>
  Math.min(longestMs, firstMs * 2 ** Math.max(0, failures - 1));
