import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  errors,
  isErrorCode,
  nonRetryableCodes,
  type ErrorCode,
} from '../../../contracts/errors.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const codes = Object.keys(errors) as ErrorCode[];

const textsBelow = async (folder: string, suffix: string): Promise<Map<string, string>> => {
  const entries = await readdir(path.join(root, folder), { recursive: true });
  const names = entries.filter((name) => name.endsWith(suffix));
  const pairs = names.map(async (name): Promise<[string, string]> => {
    const file = path.join(folder, name);
    return [file, await readFile(path.join(root, file), 'utf8')];
  });
  return new Map(await Promise.all(pairs));
};

const productFolders = ['activities', 'client', 'domain', 'workers', 'workflows'];

describe('the error table', () => {
  test('every code is given out somewhere: a row that nothing raises misleads its reader', async () => {
    const sources = await Promise.all(productFolders.map((folder) => textsBelow(folder, '.ts')));
    const text = sources.flatMap((files) => [...files.values()]).join('\n');
    const unused = codes.filter(
      (code) => !text.includes(`'${code}'`) && !text.includes(`errors.${code}`),
    );
    expect(unused).toEqual([]);
  });

  test('every code has a section in the reference, and the reference has no other', async () => {
    const page = await readFile(path.join(root, 'docs/reference/errors.md'), 'utf8');
    const sections = [...page.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual(codes);
    const linked = [...page.matchAll(/\[(\w+)\]\(#(\w+)\)/g)].map(([, name, anchor]) => [
      name,
      anchor,
    ]);
    expect(linked).toEqual(codes.map((code) => [code, code.toLowerCase()]));
  });

  test('documents name no code that is not there', async () => {
    const documents = await textsBelow('docs', '.md');
    documents.set('README.md', await readFile(path.join(root, 'README.md'), 'utf8'));
    const unknown = [...documents].flatMap(([file, text]) =>
      [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)]
        .map(([, name = '']) => name)
        .filter((name) => !isErrorCode(name) && !isVariable(name))
        .map((name) => `${file}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  test.each(codes)('%s says what to do, in sentences, and has codes of its medium', (code) => {
    const { meaning, next, exitCode, httpStatus } = errors[code];
    for (const text of [meaning, next]) expect(text).toMatch(/^[A-Z].*\.$/);
    expect(exitCode).toBeGreaterThan(0);
    expect(exitCode).toBeLessThan(126);
    expect(httpStatus).toBeGreaterThanOrEqual(400);
    expect(httpStatus).toBeLessThan(600);
  });

  test('what Temporal must not retry is exactly what the table says cannot succeed by itself', () => {
    expect([...nonRetryableCodes].sort()).toEqual(
      codes.filter((code) => !errors[code].retryable).sort(),
    );
  });
});

/** Variables of the environment and states of other systems that documents may name. */
const isVariable = (name: string): boolean =>
  /^(HOLDFAST|TEMPORAL|XDG|NO|TRY|HTTP|SANDBOX|NODE|AWS|VAULT)_/.test(name) ||
  name === 'DATABASE_URL';
