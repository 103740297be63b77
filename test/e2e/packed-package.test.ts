import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const starter = path.join(root, 'docs/examples/starter.ts');

let directory: string;
let start: ChildProcess;
let addresses: Map<string, string>;

/** `npm start` on level 1, with a state directory of its own. */
const startStack = async (): Promise<void> => {
  start = spawn(
    process.execPath,
    [path.join(root, 'client/cli/main.ts'), 'start', '--level', '1'],
    {
      cwd: directory,
      env: { ...process.env, HOLDFAST_STATE_DIR: path.join(directory, 'state') },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  addresses = new Map();
  if (start.stdout === null) throw new Error('no standard output');
  for await (const line of createInterface({ input: start.stdout })) {
    const [name = '', value = ''] = line.split(/\s{2,}/);
    addresses.set(name, value);
    // The last of the addresses: from then on everything is there.
    if (name === 'workers') return;
  }
  throw new Error('npm start ended before it had printed its addresses');
};

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-packed-'));
  await startStack();
}, 300_000);

afterAll(async () => {
  if (start.exitCode === null) {
    start.kill('SIGKILL');
    await once(start, 'exit');
  }
  await rm(directory, { recursive: true, force: true });
});

/** An empty project outside of the repository with the packed package in it. */
const installPacked = async (): Promise<string> => {
  const project = path.join(directory, 'project');
  await mkdir(project);
  await run('npm', ['pack', '--pack-destination', directory], { cwd: root });
  const packed = (await readdir(directory)).find((name) => name.endsWith('.tgz'));
  if (packed === undefined) throw new Error('npm pack made no archive');
  await writeFile(path.join(project, 'package.json'), '{ "private": true, "type": "module" }');
  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const tools = ['typescript', '@types/node'].map(
    (name) => `${name}@${manifest.devDependencies[name] ?? ''}`,
  );
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
  await run('npm', ['install', ...quiet, path.join(directory, packed), ...tools], { cwd: project });
  return project;
};

const compilerOptions = [
  ...['--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024'],
  ...['--lib', 'es2024,esnext.disposable', '--types', 'node'],
];

describe('the packed package in an empty project', () => {
  test('a starter of under 30 lines compiles, and deploys against npm start', async () => {
    const lines = (await readFile(starter, 'utf8')).trimEnd().split('\n');
    expect(lines.length).toBeLessThan(30);
    const project = await installPacked();
    await copyFile(starter, path.join(project, 'starter.ts'));
    const compiler = path.join(project, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [compiler, ...compilerOptions, 'starter.ts'], { cwd: project });
    const { stdout } = await run(process.execPath, ['starter.js'], {
      cwd: project,
      env: { ...process.env, HOLDFAST_STATE_DIR: addresses.get('state') },
    });
    expect(stdout).toMatch(/deployed, [1-9]\d* objects proven/);

    const { stdout: help } = await run(process.execPath, [
      path.join(project, 'node_modules/holdfast/dist/client/cli/main.js'),
      '--help',
    ]);
    expect(help).toContain('holdfast [options] [command]');
  }, 300_000);

  test('a second start finds the first one, and Ctrl-C leaves nothing', async () => {
    const state = addresses.get('state') ?? '';
    const env = { ...process.env, HOLDFAST_STATE_DIR: state };
    const main = path.join(root, 'client/cli/main.ts');
    const second = await run(process.execPath, [main, 'start'], { env });
    expect(second.stdout).toContain(addresses.get('Temporal UI'));
    expect(second.stderr).toContain(`process ${String(start.pid)}`);

    const ended = once(start, 'exit');
    start.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    const status = await run(process.execPath, [main, 'sandbox', 'status', '--json'], {
      env,
    }).catch((error: unknown) => error as { code: number; stdout: string });
    expect(status).toMatchObject({ code: 3 });
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'absent', processes: [] });
  }, 120_000);
});
