import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ApplicationFailure } from '@temporalio/common';

/** A folder for the rings of one test file, and a path in it that is new with each call. */
export const openRingFolder = () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-ring-'));
  let serial = 0;
  return {
    newPath: (): string => path.join(folder, String((serial += 1)), 'keys.json'),
    remove: () => rmSync(folder, { recursive: true }),
  };
};

/** Whatever in the file is secret. */
export const secretsIn = (file: string): string[] => {
  const { keys } = JSON.parse(readFileSync(file, 'utf8')) as { keys: { key: string }[] };
  return keys.map(({ key }) => key);
};

/** The error that a call ends with. */
export const errorOf = async (call: Promise<unknown>): Promise<ApplicationFailure> => {
  const end = await call.then(
    () => new Error('the call succeeded'),
    (error: unknown) => error,
  );
  if (end instanceof ApplicationFailure) return end;
  throw end;
};
