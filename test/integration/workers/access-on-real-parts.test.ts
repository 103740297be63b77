import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { stringify } from 'yaml';
import { makeAccessKey } from '../../../activities/identity/index.ts';
import {
  createPostgresAccessGrants,
  createPostgresAccessKeys,
  migrate,
  openStore,
  type Store,
} from '../../../activities/store/postgres/index.ts';
import { createOpsClient, type OpsClient } from '../../../client/index.ts';
import { startPostgresServer, runSql, type PostgresServer } from '../../setup/postgres-server.ts';
import { connectToTemporal } from '../../setup/temporal-environment.ts';
import { until } from '../../setup/until.ts';
import { accessSpaces, type AccessSpace } from '../kubernetes/access-space.ts';
import { startWorkerChild, type WorkerChild } from './worker-child.ts';

const [admin, anna, rita] = ['adam@example.com', 'anna@example.com', 'rita@example.com'];
const openSpace = accessSpaces();

let temporal: TestWorkflowEnvironment;
let server: PostgresServer;
let space: AccessSpace;
let folder: string;
let store: Store;
let databaseUrl: string;
let keys: Map<string, string>;
const children: WorkerChild[] = [];

/** A cluster, a database and a file of claims, with everything that an administrator prepares. */
beforeAll(async () => {
  temporal = await connectToTemporal();
  server = await startPostgresServer();
  space = await openSpace();
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-real-access-'));
  databaseUrl = await server.createDatabase();
  store = openStore(databaseUrl);
  await migrate(store);
  await runSql(
    databaseUrl,
    `create role "holdfast access" login password 'secret'; create role "${rita}" login;
     create role shop_writer; grant shop_writer to "holdfast access" with admin option`,
  );
  const targetUrl = Object.assign(new URL(databaseUrl), {
    username: 'holdfast access',
    password: 'secret',
  });
  write('target.url', targetUrl.href, 0o600);
  const { kubeconfigPath: kubeconfig, context } = space.sandbox.kubernetes;
  const { namespace } = space.site;
  write(
    'environments.yaml',
    stringify({ environments: { staging: { kubeconfig, context, namespace, traffic: 'none' } } }),
  );
  write('directory.yaml', stringify({ users: { [admin]: {}, [anna]: {}, [rita]: {} } }));
  write('access.yaml', stringify(accessYaml(space.rights[0])));
  keys = new Map();
  for (const holder of [admin, anna, rita]) keys.set(holder, await keyOf(holder));
});

afterEach(async () => {
  for (const child of children) child.signal('SIGKILL');
  await Promise.all(children.splice(0).map((child) => child.ended()));
});

afterAll(async () => {
  await store.close();
  await server.remove();
  await temporal.teardown();
  rmSync(folder, { recursive: true });
});

const write = (name: string, text: string, mode = 0o644): void =>
  writeFileSync(path.join(folder, name), text, { mode });

const accessYaml = (clusterRole: string) => ({
  directory: 'directory.yaml',
  roles: [
    { role: 'admin', users: [admin] },
    { role: 'approver', users: [anna] },
  ],
  managed: {
    roles: { operator: { approval: { within: '10m' } }, releaser: {} },
    targets: [
      {
        name: 'staging-cluster',
        kubernetes: { environment: 'staging', clusterRoles: { operator: clusterRole } },
      },
      {
        name: 'shop-database',
        postgres: { urlFile: 'target.url', roles: { operator: ['shop_writer'] } },
      },
      {
        name: 'temporal',
        temporal: { claimsFile: 'claims.json', permissions: { operator: ['shop:write'] } },
      },
    ],
  },
});

const keyOf = async (holder: string): Promise<string> => {
  const { text, id, publicKey } = makeAccessKey(holder);
  const at = Date.now();
  await createPostgresAccessKeys({ store }).add({
    ...{ id, holder, publicKey, scope: { environments: [], actions: [] } },
    ...{
      createdAt: new Date(at).toISOString(),
      expiresAt: new Date(at + 86_400_000).toISOString(),
    },
  });
  return text;
};

const startWorker = async (): Promise<WorkerChild> => {
  const child = startWorkerChild({
    TEMPORAL_ADDRESS: temporal.address,
    HOLDFAST_POOLS: 'orchestration,kubernetes',
    HOLDFAST_ENVIRONMENTS: path.join(folder, 'environments.yaml'),
    HOLDFAST_BLOBS: path.join(folder, 'blobs'),
    HOLDFAST_ACCESS: path.join(folder, 'access.yaml'),
    HOLDFAST_QUEUE_PREFIX: path.basename(folder).toLowerCase(),
    HOLDFAST_TIMEOUTS: 'test',
    DATABASE_URL: databaseUrl,
  });
  children.push(child);
  await child.health();
  return child;
};

const as = async (name: string): Promise<OpsClient> =>
  createOpsClient({
    client: temporal.client,
    queuePrefix: path.basename(folder).toLowerCase(),
    messageTimeoutMs: 30_000,
    access: {
      accessFile: path.join(folder, 'access.yaml'),
      accessKey: keys.get(name),
      databaseUrl,
    },
  });

/** What the targets say themselves, each asked in its own way. */
const rights = async () => {
  const review = await space.site.api.call({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: {
      spec: {
        user: rita,
        resourceAttributes: {
          namespace: space.site.namespace,
          verb: 'get',
          resource: 'configmaps',
        },
      },
    },
  });
  const [row] = await runSql(
    databaseUrl,
    `select pg_has_role('${rita}', 'shop_writer', 'member') as member`,
  );
  const claims = JSON.parse(readFileSync(path.join(folder, 'claims.json'), 'utf8')) as Record<
    string,
    string[]
  >;
  return {
    cluster: (review as { status: { allowed: boolean } }).status.allowed,
    database: row?.['member'],
    temporal: claims[rita] ?? [],
  };
};

const all = { cluster: true, database: true, temporal: ['shop:write'] };
const none = { cluster: false, database: false, temporal: [] };
const operator = [{ role: 'operator', user: rita, environments: ['staging'] }];

const approveAs = async (change: string): Promise<void> => {
  const run = await (await as(anna)).security.manageAccess.getHandle(change);
  for await (const { progress } of run.watch({ intervalMs: 50 })) {
    const planDigest = progress?.waitingFor?.planDigest;
    if (planDigest === undefined) continue;
    await run.approve({ reason: 'she is on call', planDigest });
    return;
  }
};

describe('a change of access on a real cluster, a real database and a file of claims', () => {
  test('gives and takes away what people may do there', async () => {
    await startWorker();
    const { manageAccess } = (await as(admin)).security;
    const run = await manageAccess.start({ change: 'give-rita', give: operator });
    await approveAs('give-rita');
    const given = await run.result();
    expect(given).toMatchObject({ outcome: 'changed', targets: Array(3).fill({ state: 'taken' }) });
    expect(await rights()).toEqual(all);
    const taken = await manageAccess.execute({ change: 'take-rita', remove: operator });
    expect(taken).toMatchObject({ outcome: 'changed', targets: Array(3).fill({ state: 'taken' }) });
    expect(await rights()).toEqual(none);
    const records = await runSql(
      databaseUrl,
      `select body from holdfast.audit_record order by position`,
    );
    const actions = records.map(({ body }) => {
      const { action, phase } = JSON.parse(String(body)) as { action: string; phase: string };
      return `${phase} ${action}`;
    });
    expect(actions).toEqual([
      'intent manageAccess.start',
      'effect manageAccess.approve',
      ...['effect access.give', 'outcome manageAccess.start'],
      ...['intent manageAccess.start', 'effect access.remove', 'outcome manageAccess.start'],
    ]);
  });

  test('a worker that is killed on the way leaves one change, whole', async () => {
    const first = await startWorker();
    const { manageAccess } = (await as(admin)).security;
    const { version } = await createPostgresAccessGrants({ store }).current();
    const run = await manageAccess.start({ change: 'give-rita-again', give: operator });
    await approveAs('give-rita-again');
    const grants = createPostgresAccessGrants({ store });
    await until(
      async () => grants.current(),
      (list) => list.version > version,
    );
    first.signal('SIGKILL');
    await first.ended();
    await startWorker();
    expect(await run.result()).toMatchObject({
      outcome: 'changed',
      targets: Array(3).fill({ state: 'taken' }),
    });
    expect(await rights()).toEqual(all);
    expect((await grants.current()).version).toBe(version + 1);
  });

  test('a target that someone changed by hand is put right by the next change', async () => {
    await startWorker();
    const binding = `holdfast-access-${space.rights[0]}`;
    const { namespace, api } = space.site;
    const bindings = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`;
    await api.call({ method: 'DELETE', path: `${bindings}/${encodeURIComponent(binding)}` });
    expect(await rights()).toMatchObject({ cluster: false });
    const { manageAccess } = (await as(admin)).security;
    const give = [{ role: 'releaser', user: anna }];
    const given = await manageAccess.execute({ change: 'give-anna', give });
    expect(given.targets[0]).toMatchObject({
      note: expect.stringContaining(`+${space.rights[0]}`),
    });
    expect(await rights()).toEqual(all);
    await manageAccess.execute({ change: 'take-rita-again', remove: operator });
    expect(await rights()).toEqual(none);
  });
});
