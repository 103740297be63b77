import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SandboxSettings } from '../../../sandbox/config.ts';
import { SandboxError } from '../../../sandbox/sandbox-error.ts';
import { TOOLS } from '../../../sandbox/tools/catalogue.ts';
import { findTool, locateTool, toolsDirectory } from '../../../sandbox/tools/locate.ts';
import { isAtLeast } from '../../../sandbox/tools/look-on-path.ts';

const TEMPORAL = TOOLS.temporal;
let directory: string;
let settings: SandboxSettings;

async function writeProgram(path: string, says: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`);
  await chmod(path, 0o755);
  return path;
}

const says = (version: string): string => `temporal version ${version} (Server 1.32.0, UI 2.54.1)`;

async function cacheTemporal(): Promise<string> {
  const name = `temporal-${TEMPORAL.version}`;
  return writeProgram(join(toolsDirectory(settings), name, 'bin', 'temporal'), 'cached');
}

beforeEach(async () => {
  // The machine that runs the tests may name a tool of its own; empty counts as not set.
  process.env[TEMPORAL.environmentVariable] = '';
  directory = await mkdtemp(join(tmpdir(), 'holdfast-tools-'));
  settings = {
    stateDirectory: undefined,
    cacheHome: join(directory, 'cache'),
    stateHome: join(directory, 'state'),
    databaseUrl: undefined,
    searchPath: [join(directory, 'first'), join(directory, 'second')],
    homeDirectory: directory,
  };
});

afterEach(async () => {
  // Empty counts as not set.
  process.env[TEMPORAL.environmentVariable] = '';
  await rm(directory, { recursive: true });
});

describe('where a tool is looked for', () => {
  test('nowhere found means it has to be got', async () => {
    expect(await findTool('temporal', settings)).toBeUndefined();
  });

  test('the environment variable goes before everything', async () => {
    await writeProgram(join(directory, 'first', 'temporal'), says(TEMPORAL.version));
    const named = await writeProgram(join(directory, 'mine'), 'anything');
    process.env[TEMPORAL.environmentVariable] = named;
    expect(await findTool('temporal', settings)).toEqual({
      name: 'temporal',
      path: named,
      origin: 'environment',
    });
  });

  test('an environment variable that names nothing is an error, not a reason to look on', async () => {
    await cacheTemporal();
    process.env[TEMPORAL.environmentVariable] = join(directory, 'absent');
    await expect(findTool('temporal', settings)).rejects.toThrow(TEMPORAL.environmentVariable);
    await expect(findTool('temporal', settings)).rejects.toBeInstanceOf(SandboxError);
  });

  test('PATH goes before the cache', async () => {
    await cacheTemporal();
    const path = await writeProgram(join(directory, 'second', 'temporal'), says(TEMPORAL.version));
    expect(await findTool('temporal', settings)).toMatchObject({ path, origin: 'path' });
  });

  test('another version on PATH is passed over, also for a right one later on PATH', async () => {
    await writeProgram(join(directory, 'first', 'temporal'), says('1.0.0'));
    const right = await writeProgram(join(directory, 'second', 'temporal'), says(TEMPORAL.version));
    expect(await findTool('temporal', settings)).toMatchObject({ path: right });
  });

  test('with only another version on PATH the cache is used', async () => {
    await writeProgram(join(directory, 'first', 'temporal'), says('1.0.0'));
    const path = await cacheTemporal();
    expect(await findTool('temporal', settings)).toMatchObject({ path, origin: 'cache' });
  });

  test('a program that does not tell its version is not trusted', async () => {
    await writeProgram(join(directory, 'first', 'temporal'), 'hello');
    expect(await findTool('temporal', settings)).toBeUndefined();
  });
});

describe('getting a tool', () => {
  test('a cache that cannot be written is named', async () => {
    await writeFile(settings.cacheHome, 'a file in the place of the directory');
    const attempt = locateTool('temporal', { settings, onProgress: () => undefined });
    await expect(attempt).rejects.toThrow(toolsDirectory(settings));
  });
});

describe('every executable is pinned', () => {
  test.each(Object.values(TOOLS))('$name', ({ source }) => {
    if (source.kind === 'wheel') {
      for (const hash of Object.values(source.sha256)) expect(hash).toMatch(/^[0-9a-f]{64}$/);
    } else if (source.kind === 'go-module') {
      expect(source.sum).toMatch(/^h1:/);
    } else {
      // The modules are pinned by the go.sum beside the sources.
      expect(source.directory).not.toBe('');
    }
  });
});

test.each([
  ['1.26.8', '1.26.0', true],
  ['1.27.0', '1.26.4', true],
  ['1.25.9', '1.26.0', false],
  ['1.26', '1.26.0', true],
  ['v24.21.0', '24.0.0', true],
  ['2.0.0', '1.26.8', true],
])('version %s is at least %s: %s', (version, minimum, expected) => {
  expect(isAtLeast(version, minimum)).toBe(expected);
});
