import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { packageRoot } from '../../../sandbox/package-root.ts';
import { resolveStateDirectory } from '../../../sandbox/state/directory.ts';

const NOBODY = 65_534;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-state-'));
  await chmod(directory, 0o755);
  await mkdir(join(directory, '.git'));
  await mkdir(join(directory, 'deep', 'down'), { recursive: true });
});

afterEach(async () => {
  delete process.env['HOLDFAST_STATE_DIR'];
  await chmod(join(directory, '.holdfast'), 0o700).catch(() => undefined);
  await rm(directory, { recursive: true });
});

/** Runs a call of the module as a user who is not root. */
function asOrdinaryUser(call: string): string {
  const module = join(packageRoot(), 'sandbox', 'state', 'directory.ts');
  const script = `import * as state from ${JSON.stringify(module)};
    const show = (value) => process.stdout.write(String(value));
    ${call}.then((value) => show(value?.directory ?? value), (error) => show(error.message));`;
  const root = process.getuid?.() === 0;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: directory,
    env: { HOME: join(directory, 'home') },
    ...(root ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  return stdout === '' ? stderr : stdout;
}

describe('which directory', () => {
  test('the one asked for, before the variable', async () => {
    process.env['HOLDFAST_STATE_DIR'] = join(directory, 'by-variable');
    expect(await resolveStateDirectory({ asked: join(directory, 'asked') })).toBe(
      join(directory, 'asked'),
    );
    expect(await resolveStateDirectory()).toBe(join(directory, 'by-variable'));
  });

  test('.holdfast of the checkout, from anywhere in it', async () => {
    const workingDirectory = join(directory, 'deep', 'down');
    expect(await resolveStateDirectory({ workingDirectory })).toBe(join(directory, '.holdfast'));
  });
});

describe('where another user was first', () => {
  beforeEach(async () => {
    await mkdir(join(directory, '.holdfast'));
    await writeFile(join(directory, '.holdfast', 'sandbox.json'), '{}');
    await chmod(join(directory, '.holdfast'), 0o000);
  });

  test('a directory of our own is used, the same every time', () => {
    const first = asOrdinaryUser('state.resolveStateDirectory()');
    expect(first).toContain(join(directory, 'home', '.local', 'state', 'holdfast'));
    expect(asOrdinaryUser('state.resolveStateDirectory()')).toBe(first);
  });

  test('one that was asked for is not replaced: its path and what to do are told', () => {
    const asked = join(directory, '.holdfast');
    const told = asOrdinaryUser(`state.openStateDirectory(${JSON.stringify(asked)})`);
    expect(told).toContain(`${asked} cannot be written by this user`);
  });
});
