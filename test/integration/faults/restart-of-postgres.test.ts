import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  createPostgresAuditLog,
  migrate,
  openStore,
} from '../../../activities/store/postgres/index.ts';
import type { DeployServiceProgress } from '../../../contracts/delivery/deploy-service.ts';
import type { AuditBody } from '../../../domain/security/audit-record.ts';
import { createReleaseRig, type ReleaseRig } from '../../kill/release-rig.ts';
import { sampleManifests, versions } from '../../kill/sample-service.ts';
import { startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';
import { startReleaseStack } from '../../setup/release-stack.ts';
import { until } from '../../setup/until.ts';

const namespace = `postgres-${Date.now().toString(36)}`;
const approver = { actor: 'anna@example.com', reason: 'read it' };
let server: PostgresServer;
let databaseUrl: string;
let rig: ReleaseRig;

beforeAll(async () => {
  server = await startPostgresServer();
  databaseUrl = await server.createDatabase();
  await using store = openStore(databaseUrl);
  await migrate(store);
  const stack = await startReleaseStack(1, namespace);
  rig = await createReleaseRig(stack, namespace, {
    timeouts: 'test',
    throughProxy: false,
    settings: { DATABASE_URL: databaseUrl, HOLDFAST_AUDIT_HEAD_EVERY_MS: '200' },
  });
}, 1_800_000);

afterAll(async () => {
  await rig.close();
  await server.remove();
});

const recorded = async (): Promise<AuditBody[]> => {
  await using store = openStore(databaseUrl);
  const bodies: AuditBody[] = [];
  for await (const { body } of createPostgresAuditLog({ store }).read({ from: 0 })) {
    bodies.push(JSON.parse(body) as AuditBody);
  }
  return bodies;
};

const untilItIs = async (
  release: string,
  expected: (progress: DeployServiceProgress) => boolean,
): Promise<DeployServiceProgress> => {
  const handle = rig.client.workflow.getHandle(rig.workflowId(release));
  return until(() => handle.query<DeployServiceProgress>('progress'), expected);
};

test('restart of Postgres during a release: it ends deployed, and nothing that was said or done is missing', async () => {
  await rig.release({ release: 'first', objects: sampleManifests(versions.first) });
  const input = { approvals: [{ name: 'release-manager', expiresAfterMs: 600_000 }] };
  await rig.start({ release: 'second', objects: sampleManifests(versions.second), input });
  const { waitingFor } = await untilItIs(
    'second',
    (seen) => seen.waitingFor?.planDigest !== undefined,
  );
  await server.stop();
  const handle = rig.client.workflow.getHandle(rig.workflowId('second'));
  const approval = { ...approver, planDigest: waitingFor?.planDigest };
  await handle.executeUpdate<unknown, [object]>('approve', { args: [approval] });
  await untilItIs('second', ({ stages }) => stages.some(({ name }) => name.startsWith('roll out')));
  await server.start();
  expect((await rig.result('second')).outcome).toBe('deployed');

  // What waited in files while the database was away is put into it afterwards.
  const all = await until(recorded, (bodies) => bodies.length === 5);
  const said = all.map(({ action, phase, result = '' }) => `${action} ${phase} ${result}`.trim());
  expect(said.toSorted()).toEqual([
    'deployService.approve effect',
    'deployService.start intent',
    'deployService.start intent',
    'deployService.start outcome deployed',
    'deployService.start outcome deployed',
  ]);
});
