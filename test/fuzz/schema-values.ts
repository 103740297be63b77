import fc from 'fast-check';
import type { Schema } from './schema-oracle.ts';

type Values = fc.Arbitrary<unknown>;

/** More elements than this say nothing new, unless the schema asks for them. */
const fewMore = 2;

/** Values that a schema accepts, with its limits met more often than chance would. */
export const valuesOf = (schema: Schema): Values => {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) return fc.oneof(...branches.map(valuesOf));
  return (byType[schema.type ?? ''] ?? anything)(schema);
};

const anything = (): Values =>
  fc.jsonValue({ maxDepth: 1, stringUnit: 'grapheme' }).map(withoutOddities);

/** `-0` and keys that JavaScript treats specially do not survive JSON or a spread. */
const withoutOddities = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const numbersOf = ({ type, minimum, maximum }: Schema): Values => {
  const least = minimum ?? Number.MIN_SAFE_INTEGER;
  const most = maximum ?? Number.MAX_SAFE_INTEGER;
  const within =
    type === 'integer'
      ? fc.integer({ min: least, max: Math.min(most, 2 ** 31 - 1) })
      : fc.double({ min: least, max: most, noNaN: true, noDefaultInfinity: true });
  return fc
    .oneof({ weight: 3, arbitrary: within }, fc.constantFrom(least, most))
    .map((value) => value + 0);
};

const patternsOf = ({ pattern, allOf = [] }: Schema): RegExp[] =>
  [pattern, ...allOf.map((part) => part.pattern)]
    .filter((source) => source !== undefined)
    .map((source) => new RegExp(source, 'u'));

/** What cannot be generated from, such as a look-ahead, is left to the filter below. */
const generable = (pattern: RegExp): boolean => !/\(\?[!=<]|\\p\{/.test(pattern.source);

const textsOf = (schema: Schema): Values => {
  const { minLength = 0, maxLength = 200 } = schema;
  const patterns = patternsOf(schema);
  const leading = patterns.find(generable);
  const lengths = { minLength, maxLength: Math.min(maxLength, minLength + 20) };
  const free = fc.oneof(
    { weight: 8, arbitrary: fc.string(lengths) },
    { weight: 3, arbitrary: fc.string({ ...lengths, unit: 'grapheme' }) },
    // As long as allowed, also of characters that take two code units each.
    { weight: 1, arbitrary: fc.constantFrom('x'.repeat(maxLength), '🚀'.repeat(maxLength)) },
  );
  const urls = fc.webUrl({ withQueryParameters: true });
  const texts = leading === undefined ? free : fc.stringMatching(leading);
  const fits = (text: string): boolean => {
    const characters = Array.from(text).length;
    if (characters < minLength || (schema.maxLength ?? Infinity) < characters) return false;
    return patterns.every((pattern) => pattern.test(text));
  };
  return (schema.format === 'uri' ? urls : texts).filter(fits);
};

const listsOf = ({ items = {}, minItems = 0, maxItems = minItems + fewMore }: Schema): Values =>
  fc.array(valuesOf(items), {
    minLength: minItems,
    maxLength: Math.min(maxItems, minItems + fewMore),
  });

const objectsOf = (schema: Schema): Values => {
  const { properties = {}, required = [], additionalProperties, propertyNames = {} } = schema;
  const declared = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, valuesOf(part)])),
    { requiredKeys: [...required] },
  );
  if (additionalProperties === false || additionalProperties === undefined) return declared;
  const values = valuesOf(additionalProperties === true ? {} : additionalProperties);
  const names = valuesOf({
    type: 'string',
    minLength: 1,
    ...propertyNames,
  }) as fc.Arbitrary<string>;
  const others = fc.dictionary(names, values, { maxKeys: fewMore });
  return fc.tuple(others, declared).map(([more, fields]) => ({ ...more, ...fields }));
};

const byType: Readonly<Record<string, (schema: Schema) => Values>> = {
  boolean: () => fc.boolean(),
  integer: numbersOf,
  number: numbersOf,
  string: textsOf,
  array: listsOf,
  object: objectsOf,
};

/** The same values for the same seed, as they are after a way through JSON. */
export const sampleOf = (schema: Schema, count: number, seed: number): unknown[] =>
  fc.sample(valuesOf(schema), { numRuns: count, seed }).map(withoutOddities);
