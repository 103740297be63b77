import type { Oracle, Schema } from './schema-oracle.ts';

export type MutationKind =
  | 'required field dropped'
  | 'unknown field'
  | 'wrong name of an entry'
  | 'too many entries'
  | 'wrong type'
  | 'too few'
  | 'too many'
  | 'too short'
  | 'too long'
  | 'wrong text'
  | 'out of range'
  | 'not whole'
  | 'no such choice';

/** One change to a valid value. Whether it makes it invalid is for the oracle to say. */
export interface Mutation {
  kind: MutationKind;
  /** The field as an error names it: `smoke[0].path`. */
  field: string;
  /** Inside a choice between several shapes an error may name another field of that choice. */
  choice: string | undefined;
  value: () => unknown;
}

type Path = readonly (string | number)[];

interface Place {
  schema: Schema;
  value: unknown;
  path: Path;
  choice: string | undefined;
}

interface Change {
  kind: MutationKind;
  /** Below the place; empty for the place itself. */
  at?: Path;
  to: unknown;
}

const removed = Symbol('removed');

/** Every single mutation of a value that we know how to make, in a fixed order. */
export const mutationsOf = (oracle: Oracle, schema: Schema, value: unknown): Mutation[] =>
  placesIn(oracle, { schema, value, path: [], choice: undefined }).flatMap((place) =>
    changesAt(place).map(({ kind, at = [], to }) => ({
      kind,
      field: fieldName([...place.path, ...at]),
      choice: place.choice,
      value: () => changed(value, [...place.path, ...at], to),
    })),
  );

const placesIn = (oracle: Oracle, place: Place): Place[] => {
  const { schema, value, path } = place;
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) {
    const taken = branches.filter((branch) => oracle.accepts(branch, value)).slice(0, 1);
    const choice = place.choice ?? fieldName(path);
    const outer = { ...place, schema: { type: 'choice' }, choice };
    return [
      outer,
      ...taken.flatMap((branch) => placesIn(oracle, { ...place, schema: branch, choice })),
    ];
  }
  const inside = Array.isArray(value) ? itemsOf(place, value) : fieldsOf(place);
  return [place, ...inside.flatMap((part) => placesIn(oracle, part))];
};

const itemsOf = (place: Place, values: readonly unknown[]): Place[] =>
  values.map((value, index) => ({
    ...place,
    schema: place.schema.items ?? {},
    value,
    path: [...place.path, index],
  }));

const fieldsOf = (place: Place): Place[] => {
  const { schema, value } = place;
  if (typeof value !== 'object' || value === null) return [];
  const { properties = {}, additionalProperties: others } = schema;
  return Object.entries(value).flatMap(([name, part]) => {
    const known = properties[name] ?? (typeof others === 'object' ? others : undefined);
    return known === undefined
      ? []
      : [{ ...place, schema: known, value: part as unknown, path: [...place.path, name] }];
  });
};

const ofEachType: readonly unknown[] = [null, 'text', 17, true, [], {}];

const typeNames: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => typeof value === 'number',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  choice: () => false,
};

const changesAt = (place: Place): Change[] => {
  const { schema } = place;
  const isOfType = typeNames[schema.type ?? ''];
  if (isOfType === undefined) return [];
  const wrongTypes = ofEachType
    .filter((other) => !isOfType(other))
    .map((to): Change => ({ kind: 'wrong type', to }));
  if (schema.const !== undefined || schema.enum !== undefined) {
    return [...wrongTypes, { kind: 'no such choice', to: 'no-such-choice' }];
  }
  return [...wrongTypes, ...(changesByType[schema.type ?? '']?.(place) ?? [])];
};

const numberChanges = ({ schema: { type, minimum, maximum } }: Place): Change[] => [
  ...(minimum === undefined ? [] : [{ kind: 'out of range' as const, to: minimum - 1 }]),
  ...(maximum === undefined ? [] : [{ kind: 'out of range' as const, to: maximum + 1 }]),
  ...(type === 'integer' ? [{ kind: 'not whole' as const, to: (minimum ?? 0) + 0.5 }] : []),
];

const textChanges = ({ schema, value }: Place): Change[] => {
  const { minLength = 0, maxLength, pattern, allOf, format } = schema;
  const text = String(value);
  const isPatterned = pattern !== undefined || allOf !== undefined || format !== undefined;
  const wrong = [` ${text}`, `${text}\n`, `${text}\u0000`, text.toUpperCase(), `${text} ü`, '../x'];
  return [
    ...(minLength > 0 ? [{ kind: 'too short' as const, to: '' }] : []),
    ...(maxLength === undefined
      ? []
      : [{ kind: 'too long' as const, to: 'a'.repeat(maxLength + 1) }]),
    ...(isPatterned ? wrong.map((to) => ({ kind: 'wrong text' as const, to })) : []),
  ];
};

const listChanges = ({ schema: { minItems = 0, maxItems }, value }: Place): Change[] => {
  const [first] = value as unknown[];
  const isFillable = maxItems !== undefined && first !== undefined;
  return [
    ...(minItems > 0 ? [{ kind: 'too few' as const, to: [] }] : []),
    ...(isFillable
      ? [{ kind: 'too many' as const, to: new Array<unknown>(maxItems + 1).fill(first) }]
      : []),
  ];
};

/** The last three are there in every object of JavaScript without being fields of it. */
const strangers = ['unheardOf', '__proto__', 'constructor', 'toString'];

const objectChanges = ({ schema, value }: Place): Change[] => {
  const { required = [], additionalProperties: others, propertyNames } = schema;
  const fields = Object.entries(value as object);
  const dropped = required
    .filter((name) => fields.some(([field]) => field === name))
    .map((name): Change => ({ kind: 'required field dropped', at: [name], to: removed }));
  if (others === false) {
    return [
      ...dropped,
      ...strangers.map((name): Change => ({ kind: 'unknown field', at: [name], to: 1 })),
    ];
  }
  const [entry] = fields;
  if (propertyNames === undefined || entry === undefined) return dropped;
  const [, part] = entry as [string, unknown];
  return [
    ...dropped,
    { kind: 'wrong name of an entry', at: ['-not a name-'], to: part },
    ...(schema.maxProperties === undefined
      ? []
      : [{ kind: 'too many entries' as const, to: manyEntries(part, schema.maxProperties + 1) }]),
  ];
};

const manyEntries = (part: unknown, count: number): unknown =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`e${String(index)}`, part]));

const changesByType: Readonly<Record<string, (place: Place) => Change[]>> = {
  integer: numberChanges,
  number: numberChanges,
  string: textChanges,
  array: listChanges,
  object: objectChanges,
};

const changed = (root: unknown, path: Path, to: unknown): unknown => {
  const [step, ...rest] = path;
  if (step === undefined) return to;
  const next = (below: unknown): unknown => (rest.length === 0 ? to : changed(below, rest, to));
  if (typeof step === 'number') {
    return (root as unknown[]).map((part, index) => (index === step ? next(part) : part));
  }
  const others = Object.entries(root as object).filter(([name]) => name !== step);
  const value = next(Object.hasOwn(root as object, step) ? (root as Fields)[step] : undefined);
  // From entries, because an assignment to `__proto__` would set no field.
  return Object.fromEntries(value === removed ? others : [...others, [step, value]]);
};

type Fields = Readonly<Record<string, unknown>>;

const fieldName = (path: Path): string =>
  path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${String(part)}]`;
    return name === '' ? part : `${name}.${part}`;
  }, '');
