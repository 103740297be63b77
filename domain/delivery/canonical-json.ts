export type JsonRecord = Record<string, unknown>;

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The record at a field, or an empty one; for reading deep optional structures. */
export const recordAt = (value: unknown, ...fields: string[]): JsonRecord => {
  let current: unknown = value;
  for (const field of fields) current = isRecord(current) ? current[field] : undefined;
  return isRecord(current) ? current : {};
};

/** The list at a field, or an empty one. */
export const listAt = (value: unknown, ...fields: string[]): unknown[] => {
  const last = fields.at(-1);
  const parent = recordAt(value, ...fields.slice(0, -1));
  const list = last === undefined ? value : parent[last];
  return Array.isArray(list) ? list : [];
};

/** The string at a field, or undefined. */
export const stringAt = (value: unknown, ...fields: string[]): string | undefined => {
  const last = fields.at(-1);
  const found = last === undefined ? value : recordAt(value, ...fields.slice(0, -1))[last];
  return typeof found === 'string' ? found : undefined;
};

/** The number at a field, or undefined. */
export const numberAt = (value: unknown, ...fields: string[]): number | undefined => {
  const last = fields.at(-1);
  const found = last === undefined ? value : recordAt(value, ...fields.slice(0, -1))[last];
  return typeof found === 'number' ? found : undefined;
};

/** One text for one value: keys sorted by code unit, no white space, absent fields left out. */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value))
    return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (!isRecord(value)) return JSON.stringify(value ?? null);
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${members.join(',')}}`;
};

export const equalJson = (left: unknown, right: unknown): boolean => {
  if (left === right) return true;
  if (left === undefined || right === undefined) return false;
  return canonicalJson(left) === canonicalJson(right);
};

/** A copy that shares nothing with the original. */
export const copyJson = <T>(value: T): T => {
  if (Array.isArray(value)) return value.map((item: unknown) => copyJson(item)) as T;
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, copyJson(item)]),
  ) as T;
};
