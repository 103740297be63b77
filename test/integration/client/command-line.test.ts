import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureNamespace, writeEnvironments } from '../../../client/cli/sandbox-cluster.ts';
import {
  createOpsClient,
  type DeployServiceProgress,
  type OpsClient,
} from '../../../client/index.ts';
import type { Stack } from '../../kill/release-rig.ts';
import { startReleaseStack } from '../../setup/release-stack.ts';
import { test as sideBySide } from '../../setup/side-by-side.ts';
import { until } from '../../setup/until.ts';
import { openTerminal, packageDirectory, type UserTerminal } from './user-terminal.ts';

const name = `command-line-${Date.now().toString(36)}`;
const minute = 60_000;

let stack: Stack;
let directory: string;
let worker: ChildProcess;
let terminal: UserTerminal;
let ops: OpsClient;

const holdfast: UserTerminal['holdfast'] = (...typed) => terminal.holdfast(...typed);

beforeAll(async () => {
  stack = await startReleaseStack(1, name);
  directory = stack.directory;
  terminal = openTerminal(stack, name);
  ops = await createOpsClient({
    address: stack.temporalAddress,
    namespace: stack.temporalNamespace,
  });
  const access = { kubeconfigPath: stack.kubeconfigPath, context: stack.context };
  await ensureNamespace(access, name);
  const file = path.join(directory, 'environments.yaml');
  await writeEnvironments(file, [{ ...access, name, namespace: name, traffic: 'none' }]);
  for (const version of ['v1', 'v2', 'v3a']) {
    await cp(
      path.join(packageDirectory, 'docs/examples/shop', version),
      path.join(directory, version),
      {
        recursive: true,
      },
    );
  }
  worker = terminal.start(['worker', '--environments', file]);
  worker.stderr?.resume();
  if (worker.stdout === null) throw new Error('no output');
  for await (const chunk of worker.stdout) if (String(chunk).includes('"ready":true')) break;
  worker.stdout.resume();
}, 30 * minute);

afterAll(async () => {
  await ops.close();
  const ended = once(worker, 'exit');
  worker.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  await rm(directory, { recursive: true, force: true });
}, minute);

const file = (version: string): string[] => ['-f', `${version}/holdfast.yaml`, '-e', name];

describe('holdfast deploy', () => {
  test('prints the plan without touching anything, then deploys what it has printed', async () => {
    const plan = await holdfast(['deploy', ...file('v1'), '--dry-run']);
    expect(plan.exitCode).toBe(0);
    expect(plan.stdout).toContain('create   Deployment/shop');
    expect(plan.stdout).toContain('nothing was touched');
    const before = await holdfast(['get', 'deploy', '-e', name]);
    expect(before.stdout).toBe('no releases yet\n');

    const deployed = await holdfast(['deploy', ...file('v1'), '--release', '1', '--wait']);
    expect(deployed).toMatchObject({ exitCode: 0 });
    expect(deployed.stdout).toContain('proof: everything is as the plan says');
    expect(deployed.stdout).toContain('/metadata/resourceVersion');
    expect(deployed.stderr).toContain('roll out Deployment/shop: done');

    const next = await holdfast(['deploy', ...file('v2'), '--dry-run', '--json']);
    const { changes } = JSON.parse(next.stdout) as {
      changes: { action: string; fields: { path: string; after: string }[] }[];
    };
    const patched = changes
      .filter(({ action }) => action === 'patch')
      .flatMap(({ fields }) => fields);
    expect(patched).toContainEqual(
      expect.objectContaining({
        path: '/spec/template/spec/containers/0/image',
        after: 'localhost/shop:2',
      }),
    );
  });

  test('a version that is never ready ends with exit code 7, put back and proven', async () => {
    const manifest = path.join(directory, 'v3a/k8s/deployment.yaml');
    const slow = await readFile(manifest, 'utf8');
    await writeFile(
      manifest,
      slow.replace(/progressDeadlineSeconds: \d+/, 'progressDeadlineSeconds: 2'),
    );
    const ended = await holdfast(['deploy', ...file('v3a'), '--release', '3a', '--wait', '--json']);
    expect(ended.exitCode).toBe(7);
    const result = JSON.parse(ended.stdout) as Record<string, unknown>;
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failure: { code: 'ROLLOUT_DEADLINE' },
      proof: { direction: 'back' },
    });
  });

  test('waits for an approval in the background, which another command gives', async () => {
    const definition = await readFile(path.join(directory, 'v2/holdfast.yaml'), 'utf8');
    const withApproval = `${definition}\napprovals: [{ name: release-manager }]\n`;
    await writeFile(path.join(directory, 'v2/approved.yaml'), withApproval);
    const args = ['deploy', '-f', 'v2/approved.yaml', '-e', name, '--release', '2'];
    const started = await holdfast(args);
    expect(started.exitCode).toBe(5);
    expect(started.stdout).toBe(`deploy:${name}:shop:2\n`);
    expect(started.stderr).toContain(`holdfast approve shop -e ${name}`);
    expect((await holdfast(args)).stderr).toContain('found');

    const handle = await ops.delivery.deployService.getHandle({
      environment: name,
      service: 'shop',
      release: '2',
    });
    const isAsked = ({ waitingFor }: DeployServiceProgress): boolean =>
      waitingFor?.planDigest !== undefined;
    const { waitingFor } = await until(() => handle.progress(), isAsked);
    const shown = await holdfast(['get', 'deploy', 'shop', '-e', name, '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      progress: { waitingFor: { verbs: expect.arrayContaining(['approve']) } },
    });
    const unread = ['approve', 'shop', '-e', name, '--reason', 'unread'];
    const stale = await holdfast([...unread, '--plan', `sha256:${'0'.repeat(64)}`]);
    expect(stale.exitCode).toBe(4);
    expect(stale.stderr).toContain('MESSAGE_REFUSED');
    const approved = await holdfast(['approve', 'shop', '-e', name, '--reason', 'read it']);
    expect(approved).toMatchObject({ exitCode: 0 });
    expect(approved.stderr).toContain(waitingFor?.planDigest);

    const watched = await holdfast(['get', 'deploy', 'shop', '-e', name, '--watch']);
    expect(watched).toMatchObject({ exitCode: 0 });
    expect(watched.stdout).toContain('proof: everything is as the plan says');
    const listed = async (): Promise<string[]> => {
      const list = await holdfast(['get', 'deploy', '-e', name, '--json']);
      return (JSON.parse(list.stdout) as { release: string }[]).map(({ release }) => release);
    };
    // The server adds a run to its list a moment after it has begun.
    const releases = await until(listed, ({ length }) => length >= 3);
    expect(releases.sort()).toEqual(['1', '2', '3a']);
  });
});

test('a release that was terminated in the middle keeps the lock until someone has it put back', async () => {
  const manifest = path.join(directory, 'v3a/k8s/deployment.yaml');
  const patient = await readFile(manifest, 'utf8');
  await writeFile(
    manifest,
    patient.replace(/progressDeadlineSeconds: \d+/, 'progressDeadlineSeconds: 300'),
  );
  const { stdout } = await holdfast(['deploy', ...file('v3a'), '--release', '3a-again']);
  const get = ['get', 'deploy', 'shop', '-e', name];
  const handle = await ops.delivery.deployService.getHandle({
    environment: name,
    service: 'shop',
    release: '3a-again',
  });
  const rollsOut = ({ stages }: DeployServiceProgress): boolean =>
    stages.some((stage) => stage.name === 'roll out Deployment/shop' && stage.status === 'running');
  await until(() => handle.progress(), rollsOut);
  expect((await holdfast(get)).stdout).toContain('● roll out Deployment/shop');
  await ops.temporal.workflow.getHandle(stdout.trim()).terminate('by mistake');

  const state = (): ReturnType<typeof ops.services.state> => ops.services.state(name, 'shop');
  await until(state, ({ status }) => status === 'needs-operator');
  const shown = await holdfast(get);
  expect(shown.stdout + shown.stderr).toContain('waits for an operator');
  expect(shown.stdout).toContain('the run was ended from outside: terminated');
  const restore = ['lock', 'shop', '-e', name, '--restore', '--reason', 'it was a mistake'];
  expect(shown.stderr).toContain(restore.slice(0, 5).join(' '));
  expect((await holdfast(restore)).exitCode).toBe(0);
  const seen = await until(state, ({ status }) => status === 'free');
  expect(seen.lastGood).toMatchObject({ release: '2' });
  expect(seen.unwoundReleases).toContain('3a-again');
});

describe('what a command says when it cannot', () => {
  sideBySide.each([
    {
      what: 'a file that is not there',
      args: ['deploy', '-f', 'gone.yaml'],
      exitCode: 2,
      says: 'INVALID_INPUT',
    },
    { what: 'an unknown verb', args: ['deplyo'], exitCode: 2, says: "unknown command 'deplyo'" },
    {
      what: 'an unknown flag',
      args: ['deploy', '--fast'],
      exitCode: 2,
      says: "unknown option '--fast'",
    },
    { what: 'a message without a reason', args: ['abort', 'shop'], exitCode: 2, says: '--reason' },
    {
      what: 'no environment',
      args: ['abort', 'shop', '--reason', 'x'],
      exitCode: 2,
      says: 'HOLDFAST_ENVIRONMENT',
    },
    {
      what: 'an unknown service',
      args: ['abort', 'till', '-e', 'x', '--reason', 'x'],
      exitCode: 3,
      says: 'RUN_NOT_FOUND',
    },
    {
      what: 'no decision about a lock',
      args: ['lock', 'shop', '-e', 'x', '--reason', 'x'],
      exitCode: 2,
      says: '--restore',
    },
    {
      what: 'a time without a unit',
      args: ['deploy', '-f', 'v1/holdfast.yaml', '--timeout', '10'],
      exitCode: 2,
      says: '--timeout',
    },
    {
      what: 'adoption without a yes',
      args: ['deploy', '-f', 'v1/holdfast.yaml', '--adopt'],
      exitCode: 2,
      says: '--yes',
    },
  ])(
    '$what ends with exit code $exitCode and says what to do',
    async ({ args, exitCode, says }) => {
      const ended = await holdfast(args);
      expect(ended).toMatchObject({ exitCode, stdout: '' });
      expect(ended.stderr).toContain(says);
    },
  );

  sideBySide(
    'an environment that is not mapped is refused before anything is written',
    async () => {
      const ended = await holdfast([
        'deploy',
        '-f',
        'v1/holdfast.yaml',
        '-e',
        `${name}-nowhere`,
        '--wait',
      ]);
      expect(ended.exitCode).toBe(3);
      expect(ended.stderr).toContain('ENVIRONMENT_UNKNOWN');
      expect(ended.stderr).toContain('next: ');
    },
  );

  sideBySide('errors are JSON for machines, and nothing is coloured in a pipe', async () => {
    const ended = await holdfast(['get', 'deploy', 'till', '-e', 'x', '--json']);
    expect(JSON.parse(ended.stderr)).toMatchObject({
      error: { code: 'RUN_NOT_FOUND', exitCode: 3 },
    });
    const help = await holdfast(['deploy', '--help']);
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    expect(help.stdout).not.toContain(String.fromCharCode(27));
  });

  sideBySide('rendered manifests come in through standard input', async () => {
    await mkdir(path.join(directory, 'piped'), { recursive: true });
    const definition = `service: piped\nenvironment: ${name}\nmanifests: ["-"]\n`;
    await writeFile(path.join(directory, 'piped/holdfast.yaml'), definition);
    const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: piped}\ndata: {a: b}\n';
    const ended = await holdfast(['deploy', '-f', 'piped/holdfast.yaml', '--dry-run'], manifest);
    expect(ended.stdout + ended.stderr).toContain('ConfigMap/piped');
    const broken = await holdfast(['deploy', '-f', 'piped/holdfast.yaml', '--dry-run'], 'a: [');
    expect(broken.exitCode).toBe(2);
    expect(broken.stderr).toContain('<stdin>:1:5');
  });
});
