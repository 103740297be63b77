import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const root = path.resolve(import.meta.dirname, '../../..');

test('each threat in docs/security.md names tests, and they are there', () => {
  const page = readFileSync(path.join(root, 'docs/security.md'), 'utf8');
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:Threat|-)/.test(line));
  const named = rows.map((row) => ({
    row,
    tests: [...row.matchAll(/`((?:unit|workflow|integration|e2e)\/[a-z-]+\/?[a-z-]*)`/g)].map(
      ([, name = '']) => name,
    ),
  }));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ tests }) => tests.length === 0)).toEqual([]);
  const isThere = (name: string): boolean => existsSync(path.join(root, `test/${name}.test.ts`));
  expect(named.flatMap(({ tests }) => tests).filter((name) => !isThere(name))).toEqual([]);
});
