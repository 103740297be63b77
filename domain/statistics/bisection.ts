const rounds = 40;
const precision = 1e-4;

/**
 * The smallest number from `low` to `high` that passes, within a ten-thousandth of itself, where
 * everything above one that passes does too.
 */
export const smallestPassing = (
  { low, high }: { low: number; high: number },
  passes: (value: number) => boolean,
): number => {
  let failing = low;
  let passing = high;
  for (let round = 0; round < rounds && passing - failing > precision * passing; round += 1) {
    const middle = (failing + passing) / 2;
    if (passes(middle)) passing = middle;
    else failing = middle;
  }
  return passing;
};
