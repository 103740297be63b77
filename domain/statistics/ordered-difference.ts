import { at } from './ascending.ts';
import type { SortedPair } from './mann-whitney.ts';

interface Split {
  /** How many differences are at most the pivot. */
  count: number;
  greatestUpTo: number;
  smallestBeyond: number;
}

/** Walks the border between the differences up to `pivot` and those beyond it: m + n steps. */
const splitAt = ({ control, experiment }: SortedPair, pivot: number): Split => {
  let count = 0;
  let greatestUpTo = -Infinity;
  let smallestBeyond = Infinity;
  let first = 0;
  for (let index = 0; index < experiment.length; index += 1) {
    const value = at(experiment, index);
    while (first < control.length && value - at(control, first) > pivot) first += 1;
    count += control.length - first;
    const upTo = first < control.length ? value - at(control, first) : greatestUpTo;
    if (upTo > greatestUpTo) greatestUpTo = upTo;
    const beyond = first > 0 ? value - at(control, first - 1) : smallestBeyond;
    if (beyond < smallestBeyond) smallestBeyond = beyond;
  }
  return { count, greatestUpTo, smallestBeyond };
};

/** The middle of two numbers, but never the upper one, or a search between neighbours stands still. */
const middle = (low: number, high: number): number => {
  const between = low / 2 + high / 2;
  return between >= low && between < high ? between : low;
};

/**
 * The difference experiment - control of the given rank (1 = smallest) among all m·n pairwise
 * ones, exactly. The differences are never written down: two series of a day at one sample
 * every five seconds have 300 million of them, and a search over their values needs a few
 * dozen walks of m + n steps, because each bound snaps to a difference that exists.
 */
export const orderedDifference = (pair: SortedPair, rank: number): number => {
  const { control, experiment } = pair;
  let low = at(experiment, 0) - at(control, control.length - 1);
  let high = at(experiment, experiment.length - 1) - at(control, 0);
  while (low < high) {
    const split = splitAt(pair, middle(low, high));
    if (split.count >= rank) high = split.greatestUpTo;
    else low = split.smallestBeyond;
  }
  return low;
};
