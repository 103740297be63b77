import { copyJson, equalJson, isRecord } from './canonical-json.ts';
import { pathOf, valueAt } from './json-pointer.ts';

/** The operations of RFC 6902 that the guarded writes use. */
export type PatchOperation =
  { op: 'test' | 'add' | 'replace'; path: string; value: unknown } | { op: 'remove'; path: string };

/** Why a patch does not apply: the first operation that failed. */
export class PatchRefused extends Error {
  readonly operation: PatchOperation;

  constructor(operation: PatchOperation, reason: string) {
    super(`${operation.op} ${operation.path}: ${reason}`);
    this.name = 'PatchRefused';
    this.operation = operation;
  }
}

const testValue = (document: unknown, operation: PatchOperation & { op: 'test' }): void => {
  const path = pathOf(operation.path);
  const found = valueAt(document, path);
  // The API server takes `test` of null as passed where the parent exists and the
  // member does not, and refuses it where the parent is missing too.
  const parent = path.length === 0 ? document : valueAt(document, path.slice(0, -1));
  const absentAsWanted = operation.value === null && found === undefined && parent !== undefined;
  if (absentAsWanted || equalJson(found, operation.value)) return;
  throw new PatchRefused(operation, 'the value is another one');
};

const changeList = (list: unknown[], step: string, operation: PatchOperation): void => {
  const index = step === '-' ? list.length : Number(step);
  const last = operation.op === 'add' ? list.length : list.length - 1;
  if (!Number.isInteger(index) || index < 0 || index > last) {
    throw new PatchRefused(operation, 'there is no such element');
  }
  if (operation.op === 'remove') list.splice(index, 1);
  else list.splice(index, operation.op === 'add' ? 0 : 1, copyJson(operation.value));
};

const changeRecord = (
  record: Record<string, unknown>,
  step: string,
  operation: PatchOperation,
): void => {
  if (operation.op !== 'add' && !Object.hasOwn(record, step)) {
    throw new PatchRefused(operation, 'there is no such member');
  }
  if (operation.op === 'remove') Reflect.deleteProperty(record, step);
  else record[step] = copyJson(operation.value);
};

const change = (document: unknown, operation: PatchOperation): void => {
  const path = pathOf(operation.path);
  const step = path.at(-1);
  const parent = valueAt(document, path.slice(0, -1));
  if (step === undefined) throw new PatchRefused(operation, 'the whole document is never replaced');
  if (Array.isArray(parent)) changeList(parent, step, operation);
  else if (isRecord(parent)) changeRecord(parent, step, operation);
  else throw new PatchRefused(operation, 'the parent is absent');
};

/**
 * Applies a patch to a copy, all or nothing, as the API server does.
 * @throws PatchRefused
 */
export const applyPatch = <T>(document: T, operations: readonly PatchOperation[]): T => {
  const result = copyJson(document);
  for (const operation of operations) {
    if (operation.op === 'test') testValue(result, { ...operation, op: 'test' });
    else change(result, operation);
  }
  return result;
};
