import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { withInstallLock } from '../../../scripts/install-lock.mjs';
import { isInstalled } from '../../../scripts/install.mjs';
import { REPOSITORY } from './planted-tree.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-launcher-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
}

function run(script: string, signalWhenReady?: NodeJS.Signals): Promise<Ending> {
  const launcher = path.join(REPOSITORY, 'scripts/run.mjs');
  const child = spawn(process.execPath, [launcher, 'node', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (signalWhenReady !== undefined && stdout === 'ready') child.kill(signalWhenReady);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout }));
  });
}

describe('launching a command', () => {
  test('ends with the exit code of the command', async () => {
    expect(await run('process.exit(7)')).toMatchObject({ code: 7, signal: null });
  });

  test('dies of the signal that the command died of', async () => {
    const script = "process.kill(process.pid, 'SIGKILL')";
    expect(await run(script)).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  test('passes a signal on and lets the command stop in its own way', async () => {
    const script = `
      process.on('SIGTERM', () => process.stdout.write(' stopped', () => process.exit(3)));
      process.stdout.write('ready');
      setInterval(() => {}, 1000);`;
    expect(await run(script, 'SIGTERM')).toEqual({
      code: 3,
      signal: null,
      stdout: 'ready stopped',
    });
  });

  test('gives the command and its children the Node of the project', async () => {
    const script =
      "process.stdout.write(process.version + ' ' + require('child_process').execSync('node -v'))";
    const { stdout } = await run(script);
    expect(stdout.trim()).toBe(`${process.version} ${process.version}`);
  });
});

describe('deciding whether to install', () => {
  const lock = {
    '': { version: '0.0.0' },
    'node_modules/needed': { version: '1.0.0' },
    'node_modules/elsewhere': { version: '1.0.0', optional: true },
  };

  async function write(wanted: object, installed?: object): Promise<void> {
    await mkdir(path.join(folder, 'node_modules'), { recursive: true });
    await writeFile(path.join(folder, 'package-lock.json'), JSON.stringify({ packages: wanted }));
    if (installed === undefined) return;
    const file = path.join(folder, 'node_modules/.package-lock.json');
    await writeFile(file, JSON.stringify({ packages: installed }));
  }

  test('is content without the packages of other platforms', async () => {
    await write(lock, { 'node_modules/needed': { version: '1.0.0' } });
    expect(isInstalled(folder)).toBe(true);
  });

  test.each([
    ['nothing is installed or an install was interrupted', undefined],
    ['a package is missing', {}],
    ['a version changed', { 'node_modules/needed': { version: '0.9.0' } }],
  ])('installs when %s', async (_what, installed) => {
    await write(lock, installed);
    expect(isInstalled(folder)).toBe(false);
  });
});

describe('two installs at once', () => {
  test('run one after the other', async () => {
    const events: string[] = [];
    const install = (name: string) =>
      withInstallLock(folder, async () => {
        events.push(`${name} in`);
        await new Promise((resolve) => setImmediate(resolve));
        events.push(`${name} out`);
      });
    await Promise.all([install('a'), install('b')]);
    expect([events.slice(0, 2), events.slice(2)]).toContainEqual(['a in', 'a out']);
    expect([events.slice(0, 2), events.slice(2)]).toContainEqual(['b in', 'b out']);
  });

  test('a lock whose holder died does not block for ever', async () => {
    const file = path.join(folder, '.holdfast/install.lock');
    await mkdir(path.dirname(file));
    await writeFile(file, '');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(file, longAgo, longAgo);
    expect(await withInstallLock(folder, async () => 'installed')).toBe('installed');
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });
});
