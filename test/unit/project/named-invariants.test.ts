import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@jest/globals';

/** What a release promises whatever happens, in the words of the tests that prove it. */
const invariants = [
  ['I-1', 'no request fails'],
  ['I-2', 'exact restore'],
  ['I-3', 'a worker killed at any write'],
  ['I-4', 'a fenced zombie'],
  ['I-5', 'an edit by someone else is kept and flagged'],
  ['I-6', 'both versions are unhealthy'],
  ['I-10', 'a second release during the first'],
  ['I-11', 'an autoscaler scales at every step'],
  ['I-12', 'replicas, template and configuration in one release'],
  ['I-13', 'the judge: scale, permutation, sample floor'],
  ['I-15', 'the new version crash-loops after the promotion'],
] as const;

const tests = path.resolve(import.meta.dirname, '../..');

/** Titles that begin with the name of an invariant, wherever a title may stand. */
const titlesIn = (source: string): string[] =>
  [...source.matchAll(/[(,]\s*(['"`])(I-\d+ .+?)\1/g)].map(([, , title = '']) => title);

const allTitles = async (): Promise<string[]> => {
  const files = await readdir(tests, { recursive: true });
  const sources = files.filter((file) => file.endsWith('.ts') && !file.includes('unit/project'));
  const read = sources.map((file) => readFile(path.join(tests, file), 'utf8'));
  return (await Promise.all(read)).flatMap(titlesIn);
};

test('each invariant of a release has a test that bears its name', async () => {
  const titles = await allTitles();
  const named = (id: string): string[] => titles.filter((title) => title.startsWith(`${id} `));
  expect(invariants.filter(([id]) => named(id).length === 0)).toEqual([]);
  // The other way round: nobody names an invariant that is not listed.
  const known = invariants.map(([id]) => id as string);
  const used = titles.flatMap((title) => /^I-\d+/.exec(title)?.[0] ?? []);
  expect(used.filter((id) => !known.includes(id))).toEqual([]);
});
