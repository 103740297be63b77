// Bound once: looking up a global for each number is most of the time under jest.
const { cos, floor, log, sqrt } = Math;
const fullTurn = 2 * Math.PI;

/** Numbers that look random and are the same for the same seed. */
export interface SeededGenerator {
  /** Evenly from 0 (included) to 1 (excluded). */
  uniform: () => number;
  /** A standard normal deviate. */
  normal: () => number;
  /** A whole number from 0 to `below` - 1. */
  whole: (below: number) => number;
}

/** FNV-1a over the decimal digits, so that every integer is a seed, of any size and sign. */
const hash = (text: string, basis: number): number => {
  let state = basis;
  for (const character of text) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return state;
};

/** sfc32, Chris Doty-Humphrey's small fast counting generator from PractRand. */
const smallFastCounting = (seed: bigint): (() => number) => {
  const digits = seed.toString();
  let [a, b, c] = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b].map((basis) => hash(digits, basis)) as [
    number,
    number,
    number,
  ];
  let counter = 1;
  const next = (): number => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  // Seeds that differ in one digit have mixed completely after twelve rounds.
  for (let round = 0; round < 12; round += 1) next();
  return next;
};

export const seededGenerator = (seed: bigint): SeededGenerator => {
  const next = smallFastCounting(seed);
  const uniform = (): number => next() / 2 ** 32;
  return {
    uniform,
    normal: () => sqrt(-2 * log(1 - uniform())) * cos(fullTurn * uniform()),
    whole: (below) => floor(uniform() * below),
  };
};
