import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { searchAttributes } from '../../../contracts/search-attributes.ts';
import { checkUnpolledRuns } from '../../../sandbox/doctor/unpolled-runs.ts';
import { restartTemporal, sandboxDown, sandboxStatus, sandboxUp } from '../../../sandbox/index.ts';
import type { Sandbox, SandboxStatus } from '../../../sandbox/index.ts';
import { packageRoot } from '../../../sandbox/package-root.ts';
import { findByEnvironment, isAlive } from '../../../sandbox/state/process-identity.ts';
import { createProcessRecords } from '../../../sandbox/state/process-record.ts';
import { locateTool } from '../../../sandbox/tools/locate.ts';
import { until } from '../../setup/until.ts';

const PROCESSES = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
  'postgres',
  'temporal',
];
/** Wide, because the machine may be busy; nothing here measures time. */
const WITHIN_MS = 180_000;
const silent = (): void => undefined;
const refuse = async (): Promise<boolean> => Promise.resolve(false);
let parent: string;
let stateDirectory: string;
let sandbox: Sandbox;
let kubernetesBinary: string;

/** What a user would do, in a process that ends: the stack must outlive it. */
function upScript(directory: string): string {
  return `import { sandboxUp } from ${JSON.stringify(join(packageRoot(), 'sandbox', 'index.ts'))};
    const sandbox = await sandboxUp({
      level: 1, stateDirectory: ${JSON.stringify(directory)}, temporal: { persistence: 'file' },
      confirm: async () => false, onProgress: (progress) => console.error(JSON.stringify(progress)),
    });
    console.log(JSON.stringify(sandbox));`;
}

const up = async (): Promise<Sandbox> =>
  sandboxUp({ level: 1, stateDirectory, confirm: refuse, onProgress: silent });

function kubectl(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(
    kubernetesBinary,
    ['kubectl', '--kubeconfig', sandbox.kubernetes.kubeconfigPath, ...args],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function pidsOf(status: SandboxStatus): Record<string, number | undefined> {
  return Object.fromEntries(status.processes.map(({ name, pid }) => [name, pid]));
}

async function client(): Promise<Client> {
  const connection = await Connection.connect({ address: sandbox.temporal.address });
  return new Client({ connection, namespace: sandbox.temporal.namespace });
}

async function startRunWithoutWorker(workflowId: string): Promise<void> {
  const temporal = await client();
  await temporal.workflow.start('anything', { taskQueue: 'nobody-polls', workflowId });
  await temporal.connection.close();
}

// Where the machine that runs the tests names a database of its own; empty counts as not set.
process.env['DATABASE_URL'] = '';
jest.setTimeout(WITHIN_MS);

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'holdfast-level-one-'));
  stateDirectory = join(parent, 'state');
  // The first machine to run this builds Kubernetes.
  const onProgress = ({ message }: { readonly message: string }): void => {
    process.stderr.write(`${message}\n`);
  };
  kubernetesBinary = (await locateTool('kubernetes', { onProgress })).path;
  const started = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', upScript(stateDirectory)],
    {
      encoding: 'utf8',
      cwd: tmpdir(),
    },
  );
  if (started.status !== 0) throw new Error(started.stderr);
  sandbox = JSON.parse(started.stdout) as Sandbox;
}, 1_200_000);

afterAll(async () => {
  await sandboxDown(stateDirectory);
  await rm(parent, { recursive: true, force: true });
});

describe('a sandbox of level 1', () => {
  test('outlives the process that started it and describes itself', async () => {
    const status = await sandboxStatus(stateDirectory);
    expect(status.state).toBe('running');
    expect(status.processes.map(({ name }) => name)).toEqual(PROCESSES);
    expect(status.sandbox).toEqual(sandbox);
    expect(JSON.parse(await readFile(join(stateDirectory, 'sandbox.json'), 'utf8'))).toEqual(
      sandbox,
    );
    expect(kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}')).toBe(
      sandbox.kubernetes.clusterUid,
    );
    expect(kubectl('config', 'current-context').trim()).toBe(sandbox.kubernetes.context);
  });

  test('is found by a second up, with every process left alone', async () => {
    const before = await sandboxStatus(stateDirectory);
    expect(await up()).toEqual(sandbox);
    expect(pidsOf(await sandboxStatus(stateDirectory))).toEqual(pidsOf(before));
  });

  test('of another kind is not passed off as the one asked for', async () => {
    const memory = sandboxUp({
      level: 1,
      stateDirectory,
      temporal: { persistence: 'memory' },
      confirm: refuse,
      onProgress: silent,
    });
    await expect(memory).rejects.toMatchObject({ code: 'SANDBOX_OTHER_KIND' });
    const levelTwo = sandboxUp({ level: 2, stateDirectory, confirm: refuse, onProgress: silent });
    await expect(levelTwo).rejects.toMatchObject({ code: 'SANDBOX_OTHER_KIND' });
    expect((await sandboxStatus(stateDirectory)).state).toBe('running');
  });

  test('has the search attributes of every use case, and serves its UI', async () => {
    const temporal = await client();
    const { customAttributes } = await temporal.connection.operatorService.listSearchAttributes({
      namespace: sandbox.temporal.namespace,
    });
    const expected = Object.values(searchAttributes).map(({ name }) => name);
    expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(expected));
    await temporal.connection.close();
    expect((await fetch(sandbox.temporal.uiUrl)).status).toBe(200);
  });

  test('records every change by a client once, with its answer, and nothing of its own', async () => {
    kubectl('create', 'configmap', 'audited', '--from-literal=a=b');
    kubectl('get', 'configmap', 'audited');
    const audited = (): Promise<AuditEntry[]> =>
      auditEntries(({ objectRef }) => objectRef?.name === 'audited');
    // The server writes its line when it has sent the answer.
    await until(audited, ({ length }) => length > 0);
    kubectl('create', 'configmap', 'later');
    await until(
      () => auditEntries(({ objectRef }) => objectRef?.name === 'later'),
      ({ length }) => length > 0,
    );
    const entries = await audited();
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({
      verb: 'create',
      stage: 'ResponseComplete',
      level: 'RequestResponse',
      user: { username: 'holdfast-admin' },
      responseObject: { data: { a: 'b' } },
      responseStatus: { code: 201 },
    });
    const others = await auditEntries(({ user }) => user.username !== 'holdfast-admin');
    expect(others).toEqual([]);
  });

  test('makes a deployment available, and one whose image fails not', async () => {
    for (const tag of ['1', 'bad', '3a', 'missing']) {
      kubectl('create', 'deployment', `shop-${tag}`, `--image=localhost/shop:${tag}`);
    }
    kubectl('wait', '--for=condition=Available', 'deployment/shop-1', '--timeout=30s');
    /** `kubectl wait` fails where there is no pod yet. */
    const podWaits = async (tag: string, condition: string): Promise<void> => {
      const pods = ['pod', '-l', `app=shop-${tag}`];
      await until(
        async () => kubectl('get', ...pods, '-o', 'name'),
        (names) => names !== '',
      );
      kubectl('wait', ...pods, '--timeout=30s', `--for=${condition}`);
    };
    const reason = 'jsonpath={.status.containerStatuses[0].state.waiting.reason}';
    await podWaits('bad', `${reason}=CrashLoopBackOff`);
    await podWaits('missing', `${reason}=ImagePullBackOff`);
    await podWaits('3a', 'condition=Ready=false');
    expect(kubectl('get', 'deployment/shop-1', '-o', 'jsonpath={.status.readyReplicas}')).toBe('1');
    for (const tag of ['bad', '3a', 'missing']) {
      const ready = kubectl(
        ...['get', `deployment/shop-${tag}`],
        ...['-o', 'jsonpath={.status.readyReplicas}'],
      );
      expect(ready).toBe('');
    }
    expect(kubectl('logs', 'deployment/shop-1')).toContain('kwok runs no container');
  });

  test('names the runs that no worker polls for', async () => {
    await startRunWithoutWorker('left-alone');
    const temporal = await client();
    const check = await until(
      async () => checkUnpolledRuns(temporal),
      ({ verdict }) => verdict === 'warning',
    );
    expect(check.evidence).toContain('nobody-polls: left-alone');
    await temporal.connection.close();
  });

  test('keeps its runs when only the Temporal server is restarted', async () => {
    await startRunWithoutWorker('long-lived');
    const before = pidsOf(await sandboxStatus(stateDirectory));
    await restartTemporal(stateDirectory);
    const after = pidsOf(await sandboxStatus(stateDirectory));
    expect(after['temporal']).not.toBe(before['temporal']);
    expect({ ...after, temporal: 0 }).toEqual({ ...before, temporal: 0 });
    const temporal = await client();
    const { status } = await temporal.workflow.getHandle('long-lived').describe();
    expect(status.name).toBe('RUNNING');
    await temporal.connection.close();
  });

  test('is repaired by up after processes were killed, with its objects kept', async () => {
    const before = await sandboxStatus(stateDirectory);
    for (const name of ['etcd', 'kube-apiserver', 'temporal', 'kwok', 'postgres']) {
      process.kill(pidsOf(before)[name] ?? 0, 'SIGKILL');
    }
    await until(
      async () => sandboxStatus(stateDirectory),
      ({ processes }) => processes.filter(({ running }) => !running).length === 5,
    );
    expect((await sandboxStatus(stateDirectory)).state).toBe('broken');
    expect(await up()).toEqual(sandbox);
    expect((await sandboxStatus(stateDirectory)).state).toBe('running');
    expect(kubectl('get', 'configmap', 'audited', '-o', 'name').trim()).toBe('configmap/audited');
    kubectl('create', 'deployment', 'shop-later', '--image=localhost/shop:1');
    kubectl('wait', '--for=condition=Available', 'deployment/shop-later', '--timeout=30s');
  });

  test('is gone after down: no process, no file; and down again does nothing', async () => {
    const records = await createProcessRecords(join(stateDirectory, 'processes')).list();
    expect(records).toHaveLength(PROCESSES.length);
    await sandboxDown(stateDirectory);
    for (const { identity } of records) expect(identity && (await isAlive(identity))).toBe(false);
    expect(await readdir(parent)).toEqual([]);
    await sandboxDown(stateDirectory);
    expect((await sandboxStatus(stateDirectory)).state).toBe('absent');
  });
});

test('down undoes a start that was killed in the middle', async () => {
  const directory = join(parent, 'killed');
  const starting = spawn(process.execPath, ['--input-type=module', '-e', upScript(directory)], {
    stdio: 'ignore',
  });
  const ended = once(starting, 'close');
  const records = createProcessRecords(join(directory, 'processes'));
  await until(
    async () => records.list(),
    (list) => list.some(({ name }) => name === 'kube-apiserver'),
  );
  starting.kill('SIGKILL');
  await ended;
  const started = await records.list();
  expect(started.length).toBeGreaterThan(0);
  await sandboxDown(directory);
  for (const { identity } of started) {
    if (identity !== undefined) expect(await isAlive(identity)).toBe(false);
  }
  for (const name of PROCESSES) {
    expect(await findByEnvironment(`HOLDFAST_SANDBOX_PROCESS=${directory}#${name}`)).toEqual([]);
  }
  expect(existsSync(directory)).toBe(false);
});

interface AuditEntry {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly name?: string };
}

async function auditEntries(wanted: (entry: AuditEntry) => boolean): Promise<AuditEntry[]> {
  const text = await readFile(sandbox.kubernetes.auditLogPath, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEntry)
    .filter(wanted);
}
