import { readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { missingOptionalEntries } from '../../../scripts/complete-lock.mjs';
import { REPOSITORY } from './planted-tree.ts';

const parent = (optionalDependencies: Record<string, string>) => ({
  version: '1.0.0',
  dev: true,
  optionalDependencies,
});

describe('completing the lock file', () => {
  test('finds nothing to add to the one that is committed', () => {
    const lock = JSON.parse(readFileSync(path.join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
      packages: Parameters<typeof missingOptionalEntries>[0];
    };
    expect(missingOptionalEntries(lock.packages)).toEqual([]);
  });

  test('derives platform and libc from the name and the rest from the parent', () => {
    const packages = {
      'node_modules/tool': parent({
        '@tool/darwin-arm64': '1.2.3',
        '@tool/linux-x64-musl': '1.2.3',
      }),
    };
    expect(missingOptionalEntries(packages)).toEqual([
      {
        location: 'node_modules/@tool/darwin-arm64',
        entry: { version: '1.2.3', os: ['darwin'], cpu: ['arm64'], dev: true, optional: true },
      },
      {
        location: 'node_modules/@tool/linux-x64-musl',
        entry: {
          version: '1.2.3',
          os: ['linux'],
          cpu: ['x64'],
          libc: ['musl'],
          dev: true,
          optional: true,
        },
      },
    ]);
  });

  test('puts a second version below its parent', () => {
    const packages = {
      'node_modules/@tool/darwin-x64': { version: '1.0.0' },
      'node_modules/tool': parent({ '@tool/darwin-x64': '2.0.0' }),
    };
    expect(missingOptionalEntries(packages).map(({ location }) => location)).toEqual([
      'node_modules/tool/node_modules/@tool/darwin-x64',
    ]);
  });

  test('refuses a package whose name tells no platform', () => {
    const packages = { 'node_modules/tool': parent({ 'tool-native': '1.0.0' }) };
    expect(() => missingOptionalEntries(packages)).toThrow('tool-native');
  });
});
