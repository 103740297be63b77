const usage = 'npm run -s judge -- --seed N, where N is an integer of any size';

const digitsOf = (args: readonly string[]): string => {
  const [name, value, ...rest] = args;
  if (name === undefined) throw new Error('no seed was given');
  if (name.startsWith('--seed=') && args.length === 1) return name.slice('--seed='.length);
  if (name !== '--seed') throw new Error(`"${name}" is not an option`);
  if (value === undefined) throw new Error('--seed has no value');
  if (rest.length > 0) throw new Error(`"${rest.join(' ')}" comes after the seed`);
  return value;
};

/** The seed of a run; throws with what is wrong and how it is done. */
export const parseSeed = (args: readonly string[]): bigint => {
  try {
    const digits = digitsOf(args);
    if (!/^[+-]?\d+$/.test(digits)) throw new Error(`"${digits}" is not an integer`);
    return BigInt(digits.replace(/^\+/, ''));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Nothing was run: ${reason}. Run ${usage}.`, { cause: error });
  }
};
