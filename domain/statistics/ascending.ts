declare const order: unique symbol;

/** A series in ascending order, so that its order at the source cannot change a result. */
export type Ascending = Float64Array & { readonly [order]: 'ascending' };

export const ascending = (values: readonly number[]): Ascending =>
  Float64Array.from(values).sort() as Ascending;

/** The mean; added up in ascending order, so that it is the same for every permutation. */
export const mean = (series: Ascending): number =>
  series.reduce((sum, value) => sum + value, 0) / series.length;

const nothing = Number.NaN;

/** The value at an index; outside of the series NaN, which no comparison holds for. */
export const at = (series: Ascending, index: number): number => series[index] ?? nothing;
