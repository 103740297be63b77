import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { REPOSITORY } from './planted-tree.ts';

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(
  readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8'),
) as Manifest;

const inRepository = (file: string): boolean => existsSync(path.join(REPOSITORY, file));

describe('the package manifest', () => {
  test.each(Object.entries(manifest.scripts))(
    'npm run %s starts something that exists',
    (_, script) => {
      const [, launched, target] = /^node scripts\/run\.mjs (\S+)(?: (\S+))?/.exec(script) ?? [];
      const needed = launched === 'node' ? target : `node_modules/.bin/${launched ?? ''}`;
      expect(inRepository(needed ?? '')).toBe(true);
    },
  );

  test.each(Object.values(manifest.bin))('the command %s exists', (file) => {
    expect(inRepository(file)).toBe(true);
  });

  test('pins every dependency exactly', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    const ranges = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(ranges.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual(
      [],
    );
  });
});
