import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { namedTests, provenRequirements } from '../../../scripts/proven-requirements.ts';

const root = path.resolve(import.meta.dirname, '../../..');

describe('docs/requirements.md', () => {
  const page = readFileSync(path.join(root, 'docs/requirements.md'), 'utf8');

  test('names tests in each row, and each is in its file', () => {
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith('| ') && !/^\| (?:Requirement|-)/.test(line));
    expect(rows.length).toBeGreaterThan(6);
    expect(rows.filter((row) => namedTests(row).length === 0)).toEqual([]);
    const missing = namedTests(page).filter(({ file, name }) => {
      const source = readFileSync(path.join(root, `test/${file}.test.ts`), 'utf8');
      return !source.includes(`'${name}`);
    });
    expect(missing).toEqual([]);
  });
});

describe('requirements are proven', () => {
  const page = '| It holds | `unit/a/one: does this`, `integration/b/two: does that` |';

  test('by a run in which every named test passed', () => {
    const passed = ['unit/a/one: does this, and more', 'integration/b/two: does that'];
    expect(provenRequirements(page, { passed, excused: [] })).toMatchObject({
      ...{ passed: 2, failed: 0, skipped: 0, remarks: [] },
    });
  });

  test('not where one is missing, or passed in another file', () => {
    const passed = ['unit/a/one: does this', 'integration/b/three: does that'];
    expect(provenRequirements(page, { passed, excused: [] })).toMatchObject({
      passed: 1,
      failed: 1,
      remarks: ['named in docs/requirements.md, and did not pass: integration/b/two: does that'],
    });
  });

  test('nor refuted where one was skipped with a reason, which is told', () => {
    const run = { passed: ['unit/a/one: does this'], excused: ['integration/b/two: does that'] };
    expect(provenRequirements(page, run)).toMatchObject({
      ...{ passed: 1, failed: 0, skipped: 1 },
      remarks: ['not proven here, it was skipped above: integration/b/two: does that'],
    });
  });

  test('not by a page that names none', () => {
    const run = { passed: [], excused: [] };
    expect(provenRequirements('| It holds | somehow |', run).failed).toBe(1);
  });
});
