import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { RuleBeyondSchema } from './rules-beyond-schemas.ts';
import { createOracle, unknownKeywords, type Schema } from './schema-oracle.ts';
import { sampleOf } from './schema-values.ts';
import { mutationsOf, type Mutation } from './single-mutations.ts';

/** Why a value was refused. */
export interface Refusal {
  code: string | undefined;
  text: string;
}

/** A place at which values of a published schema come in. */
export interface Door {
  schema: Schema;
  rules: readonly RuleBeyondSchema[];
  /** The code of a refusal. */
  refusesWith: ErrorCode;
  /** What keeps two values that were drawn from being offered both, such as an equal name. */
  identityOf?: (value: unknown) => string;
  /** How many values are drawn, where rules between fields refuse most of them. */
  drawn?: number;
  /** Offers a value; a refusal, or undefined if it was let in. */
  offer(value: unknown): Promise<Refusal | undefined>;
  /** How much came through so far: runs started, messages sent, bytes stored. */
  passed(): number;
}

const seed = 20_261_122;
const wanted = 200;
/** So many are drawn, because a rule between fields refuses some and some are alike. */
const drawnUnlessSaid = 2_000;
const breakingOnes = 50;
const mutationsOfEach = 2;
const oracle = createOracle();

/**
 * Holds a door to its published schema, which Ajv reads. Jest fails the test that was running when a
 * rejection was not handled.
 */
export const describeDoor = (name: string, door: Door): void => {
  describe(name, () => {
    let within: unknown[];
    let breaking: unknown[];

    beforeAll(() => {
      const values = distinct(
        sampleOf(door.schema, door.drawn ?? drawnUnlessSaid, seed),
        door.identityOf,
      );
      within = values.filter((value) => !breaksRule(door, value));
      breaking = values.filter((value) => breaksRule(door, value)).slice(0, breakingOnes);
    });

    test('the values that are drawn are valid, and of a schema that is understood', () => {
      expect(unknownKeywords(door.schema)).toEqual([]);
      expect(within.length).toBeGreaterThanOrEqual(wanted);
      const wrong = [...within, ...breaking].filter((value) => !oracle.accepts(door.schema, value));
      expect(wrong).toEqual([]);
    });

    test('lets in what the schema takes', async () => {
      const before = door.passed();
      const offered = within.slice(0, wanted);
      expect(await unexpected(offered, async (value) => isLetIn(door, value))).toEqual([]);
      expect(door.passed()).toBeGreaterThanOrEqual(before + offered.length);
    });

    if (door.rules.length > 0)
      test('refuses what breaks a rule that the schema cannot say, with a code', async () => {
        expect(breaking).not.toEqual([]);
        const before = door.passed();
        expect(await unexpected(breaking, async (value) => isRefused(door, value))).toEqual([]);
        expect(door.passed()).toBe(before);
      });

    test('judges single mutations as the schema does, and names the field', async () => {
      const mutations = within
        .slice(0, wanted)
        .flatMap((value, index) => someOf(mutationsOf(oracle, door.schema, value), index));
      const invalid = mutations.filter(({ value }) => !oracle.accepts(door.schema, value()));
      expect(invalid.length).toBeGreaterThanOrEqual(wanted);
      const before = door.passed();
      expect(
        await unexpected(invalid, async (mutation) => isRefused(door, mutation.value(), mutation)),
      ).toEqual([]);
      expect(door.passed()).toBe(before);
      const harmless = mutations
        .filter((mutation) => !invalid.includes(mutation))
        .map(({ value }) => value())
        .filter((value) => !breaksRule(door, value));
      const fresh = distinct([...within.slice(0, wanted), ...harmless], door.identityOf).slice(
        wanted,
      );
      expect(await unexpected(fresh, async (value) => isLetIn(door, value))).toEqual([]);
    });
  });
};

const distinct = (values: readonly unknown[], identityOf: Door['identityOf']): unknown[] => {
  const identity = identityOf ?? ((value: unknown) => JSON.stringify(value));
  const byIdentity = new Map<string, unknown>();
  for (const value of values) {
    const key = identity(value);
    if (!byIdentity.has(key)) byIdentity.set(key, value);
  }
  return [...byIdentity.values()];
};

const breaksRule = ({ rules }: Door, value: unknown): boolean =>
  rules.some(({ isBroken }) => isBroken(value));

/** Another kind for each value, so that all of them come up. */
const someOf = (mutations: readonly Mutation[], index: number): Mutation[] => {
  const kinds = [...new Set(mutations.map(({ kind }) => kind))];
  return Array.from({ length: Math.min(mutationsOfEach, kinds.length) }, (_, turn) => {
    const kind = kinds[(index + turn) % kinds.length];
    const alike = mutations.filter((mutation) => mutation.kind === kind);
    return alike[(index * 7 + turn) % alike.length];
  }).filter((mutation) => mutation !== undefined);
};

const atOnce = 8;

/** What did not behave as it should, each with what was found; a few at a time are offered. */
const unexpected = async <Item>(
  items: readonly Item[],
  complaintAbout: (item: Item) => Promise<string | undefined>,
): Promise<string[]> => {
  const found: string[] = [];
  for (let start = 0; start < items.length; start += atOnce) {
    const batch = items.slice(start, start + atOnce);
    const complaints = await Promise.all(batch.map(complaintAbout));
    complaints.forEach((complaint, index) => {
      if (complaint !== undefined) found.push(`${complaint} – ${shown(batch[index])}`);
    });
  }
  return found.slice(0, 5);
};

const shown = (item: unknown): string => JSON.stringify(item).slice(0, 2_000);

const isLetIn = async (door: Door, value: unknown): Promise<string | undefined> => {
  const refusal = await door.offer(value);
  return refusal === undefined ? undefined : `refused: ${refusal.text}`;
};

const isRefused = async (
  door: Door,
  value: unknown,
  mutation?: Mutation,
): Promise<string | undefined> => {
  const refusal = await door.offer(value);
  if (refusal === undefined) return 'was let in';
  if (refusal.code !== door.refusesWith) return `${String(refusal.code)}: ${refusal.text}`;
  if (mutation === undefined || isNamed(mutation, refusal.text)) return undefined;
  return `does not name ${mutation.field}: ${refusal.text}`;
};

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

const isNamed = ({ field, choice }: Mutation, text: string): boolean => {
  if (field === '' || choice === '') return true;
  if (new RegExp(`(^|\\s)${escaped(field)}: `).test(text)) return true;
  return choice !== undefined && new RegExp(`(^|\\s)${escaped(choice)}[.[:]`).test(text);
};
