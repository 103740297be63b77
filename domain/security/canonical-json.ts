/** Half of a pair of UTF-16 units without the other one: no such text can be written in UTF-8. */
const loneSurrogate = /\p{Surrogate}/u;

/**
 * The one text of a JSON value by RFC 8785: members sorted by UTF-16 units, no white space, numbers
 * and strings as ECMAScript writes them. Members that are undefined are left out.
 *
 * @throws TypeError for what JSON cannot hold, such as NaN, or a text that UTF-8 cannot
 */
export const canonicalJson = (value: unknown): string => {
  if (typeof value === 'string') return canonicalText(value);
  if (typeof value === 'number') return canonicalNumber(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`JSON has no ${typeof value}`);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${canonicalText(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
};

const canonicalText = (text: string): string => {
  if (loneSurrogate.test(text)) throw new TypeError('a text holds half a surrogate pair');
  return JSON.stringify(text);
};

const canonicalNumber = (number: number): string => {
  if (!Number.isFinite(number)) throw new TypeError(`JSON has no ${String(number)}`);
  return JSON.stringify(number);
};
