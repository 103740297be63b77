import { describe, expect, test } from '@jest/globals';
import { parseSeed } from '../../../scripts/judge/seed-argument.ts';
import { seededGenerator } from '../../../scripts/judge/seeded-generator.ts';

describe('the seed of a run', () => {
  test.each([
    [['--seed', '0'], 0n],
    [['--seed', '-17'], -17n],
    [['--seed=42'], 42n],
    [['--seed', '+7'], 7n],
    [['--seed', '123456789012345678901234567890'], 123456789012345678901234567890n],
  ])('%j', (args, seed) => {
    expect(parseSeed(args)).toBe(seed);
  });

  test.each([
    [[], 'no seed was given'],
    [['--seed'], '--seed has no value'],
    [['--seed', '1.5'], '"1.5" is not an integer'],
    [['--seed', '0x10'], '"0x10" is not an integer'],
    [['--seed='], '"" is not an integer'],
    [['--seed', 'x'], '"x" is not an integer'],
    [['--seed', '1', '2'], '"2" comes after the seed'],
    [['--sed', '1'], '"--sed" is not an option'],
  ])('%j is refused with the reason', (args, reason) => {
    expect(() => parseSeed(args)).toThrow(reason);
  });
});

describe('the seeded generator', () => {
  const first = (seed: bigint): readonly number[] => {
    const chance = seededGenerator(seed);
    return Array.from({ length: 5 }, () => chance.uniform());
  };

  test('repeats itself for one seed and differs for others, of any size', () => {
    const seeds = [0n, 1n, -1n, 2n ** 32n, 2n ** 64n, 2n ** 64n + 1n];
    for (const seed of seeds) expect(first(seed)).toEqual(first(seed));
    expect(new Set(seeds.map((seed) => first(seed).join())).size).toBe(seeds.length);
  });

  test('draws from the distributions it names', () => {
    const chance = seededGenerator(1n);
    const draws = 100_000;
    let sum = 0;
    let squares = 0;
    const counts = [0, 0, 0, 0, 0];
    for (let draw = 0; draw < draws; draw += 1) {
      const value = chance.normal();
      sum += value;
      squares += value * value;
      const whole = chance.whole(5);
      counts[whole] = (counts[whole] ?? 0) + 1;
    }
    expect(Math.abs(sum / draws)).toBeLessThan(0.02);
    expect(Math.abs(squares / draws - 1)).toBeLessThan(0.02);
    for (const count of counts) expect(Math.abs(count / draws - 0.2)).toBeLessThan(0.01);
  });
});
