import { rm } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import direct from '../../../dependency-cruiser.direct.js';
import runtime from '../../../dependency-cruiser.runtime.js';
import { cruise, plantTree } from './planted-tree.ts';
import type { Violation } from './planted-tree.ts';
import { ALLOWED, DIRECT, RUNTIME } from './planted-violations.ts';
import type { Planted } from './planted-violations.ts';

const passes = [
  { settings: 'dependency-cruiser.direct.js', rules: direct.forbidden, planted: DIRECT },
  { settings: 'dependency-cruiser.runtime.js', rules: runtime.forbidden, planted: RUNTIME },
];

describe.each(passes)('import rules of $settings', ({ settings, rules, planted }) => {
  const trees: string[] = [];
  let inAllowedTree: readonly Violation[] = [];
  let inPlantedTree: readonly Violation[] = [];

  beforeAll(async () => {
    trees.push(await plantTree(ALLOWED), await plantTree({ ...ALLOWED, ...together(planted) }));
    const [allowed, forbidden] = trees as [string, string];
    inAllowedTree = await cruise(allowed, settings);
    inPlantedTree = await cruise(forbidden, settings);
  }, 60_000);

  afterAll(async () => {
    for (const tree of trees) await rm(tree, { recursive: true, force: true });
  });

  test('let through what the layout allows', () => {
    expect(inAllowedTree).toEqual([]);
  });

  test('have a planted violation each', () => {
    const names = rules?.map((rule) => rule.name) ?? [];
    expect(planted.map(({ rule }) => rule).toSorted()).toEqual(names.toSorted());
  });

  test.each(planted)('$rule is caught', ({ rule, files }) => {
    expect(inPlantedTree).toContainEqual({ rule, from: Object.keys(files)[0] });
  });
});

function together(planted: readonly Planted[]): Record<string, string> {
  return Object.assign({}, ...planted.map(({ files }) => files)) as Record<string, string>;
}
