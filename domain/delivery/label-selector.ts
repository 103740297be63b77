import { isRecord, listAt, recordAt, stringAt, type JsonRecord } from './canonical-json.ts';

const matchesExpression = (expression: unknown, labels: JsonRecord): boolean => {
  const key = stringAt(expression, 'key') ?? '';
  const values = listAt(expression, 'values');
  const isThere = Object.hasOwn(labels, key);
  switch (stringAt(expression, 'operator')) {
    case 'In':
      return isThere && values.includes(labels[key]);
    case 'NotIn':
      return !isThere || !values.includes(labels[key]);
    case 'Exists':
      return isThere;
    case 'DoesNotExist':
      return !isThere;
    default:
      return false;
  }
};

/** Does a label selector (`matchLabels`, `matchExpressions`) take these labels? `{}` takes all. */
export const matchesSelector = (selector: unknown, labels: JsonRecord): boolean =>
  isRecord(selector) &&
  Object.entries(recordAt(selector, 'matchLabels')).every(
    ([key, value]) => labels[key] === value,
  ) &&
  listAt(selector, 'matchExpressions').every((expression) => matchesExpression(expression, labels));

/** Does the plain selector of a Service take these labels? An empty one takes none. */
export const matchesPlainSelector = (selector: JsonRecord, labels: JsonRecord): boolean => {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
};
