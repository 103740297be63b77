import fc from 'fast-check';

/** Nine digits, so that two values which differ are no neighbours of a float's last bit. */
const nineDigits = (value: number): number => Number(value.toPrecision(9));

const latency = fc.double({ min: 1e-3, max: 1e3, noNaN: true }).map(nineDigits);
/** Many ties, and differences that hit a threshold exactly. */
const smallCount = fc.integer({ min: 0, max: 8 });
const signed = fc.integer({ min: -4_000, max: 4_000 }).map((value) => value / 100);

const anyLength = { minLength: 0, maxLength: 40 };
const enough = { minLength: 5, maxLength: 40 };

const seriesOf = (length: { minLength: number; maxLength: number }): fc.Arbitrary<number[]> =>
  fc.oneof(fc.array(latency, length), fc.array(smallCount, length), fc.array(signed, length));

/** Series that a judge at 98 % has an opinion on. */
export const judgeableSeries = seriesOf(enough);

export const anySeries = seriesOf(anyLength);

export const nonEmptySeries = seriesOf({ minLength: 1, maxLength: 40 });
