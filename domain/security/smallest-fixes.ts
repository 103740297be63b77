import type { AccessChange, AskedGrant } from './access-change.ts';
import { grantKey, type AccessGrant, type GrantPlace } from './access-grant.ts';

type Edits = Pick<AccessChange, 'give' | 'remove'>;

/** One thing to ask for otherwise: leave something out, or take something away beside it. */
type Fix = { leaveOut: AskedGrant } | { alsoRemove: GrantPlace };

/** More at once is a change of its own, for people to think about. */
const mostFixes = 3;
const mostCandidates = 12;
const mostTold = 3;

/**
 * The changes nearest to the one that was asked for which hold: all of the smallest number of
 * differences at which there are any, at most three.
 */
export const smallestFixes = (
  change: Edits,
  given: readonly AccessGrant[],
  holds: (edits: Edits) => boolean,
): Edits[] => {
  const removed = new Set(change.remove.map(grantKey));
  const holders = new Set(change.give.map(({ holder }) => JSON.stringify(holder)));
  // What the same holders have comes first: it is nearly always theirs that is in the way.
  const others = given
    .filter((grant) => !removed.has(grantKey(grant)))
    .sort((one, other) => rankOf(one, holders) - rankOf(other, holders));
  const candidates: Fix[] = [
    ...change.give.map((leaveOut) => ({ leaveOut })),
    ...others.map(({ role, holder, environments }) => ({
      alsoRemove: { role, holder, ...(environments === undefined ? {} : { environments }) },
    })),
  ].slice(0, mostCandidates);
  const holding: Fix[][] = [];
  for (let size = 1; size <= mostFixes; size += 1) {
    // What needs less than all of it is no way of its own, also where that would be no change at all.
    const found = combinations(candidates, size).filter(
      (fixes) =>
        !holding.some((less) => less.every((fix) => fixes.includes(fix))) &&
        holds(edited(change, fixes)),
    );
    const told = found.map((fixes) => edited(change, fixes)).filter(isChange);
    if (told.length > 0) return told.slice(0, mostTold);
    holding.push(...found);
  }
  return [];
};

const isChange = ({ give, remove }: Edits): boolean => give.length + remove.length > 0;

const rankOf = ({ holder }: AccessGrant, holders: ReadonlySet<string>): number =>
  holders.has(JSON.stringify(holder)) ? 0 : 1;

const edited = ({ give, remove }: Edits, fixes: readonly Fix[]): Edits => {
  const without = new Set(
    fixes.flatMap((fix) => ('leaveOut' in fix ? [grantKey(fix.leaveOut)] : [])),
  );
  return {
    give: give.filter((grant) => !without.has(grantKey(grant))),
    remove: [...remove, ...fixes.flatMap((fix) => ('alsoRemove' in fix ? [fix.alsoRemove] : []))],
  };
};

const combinations = <Item>(items: readonly Item[], size: number): Item[][] => {
  if (size === 0) return [[]];
  return items.flatMap((item, index) =>
    combinations(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]),
  );
};
