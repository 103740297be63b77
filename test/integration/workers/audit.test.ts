import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import {
  codecTokensBeside,
  createKeyRingFile,
  issueCodecToken,
} from '../../../activities/encryption/index.ts';
import { readHeads } from '../../../activities/store/audit/index.ts';
import type { AuditLog } from '../../../activities/store/port.ts';
import {
  createPostgresAuditLog,
  migrate,
  openStore,
  type Store,
} from '../../../activities/store/postgres/index.ts';
import type { AuditBody } from '../../../domain/security/audit-record.ts';
import { chooseFreePorts } from '../../../sandbox/state/ports.ts';
import { closeEndedRuns } from '../../../workers/ended-runs.ts';
import { endedRelease } from '../../conformance/release-records.ts';
import { startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';
import { connectToTemporal } from '../../setup/temporal-environment.ts';
import { until } from '../../setup/until.ts';
import { startWorkerChild, type WorkerChild } from './worker-child.ts';

const children: WorkerChild[] = [];
let temporal: TestWorkflowEnvironment;
let server: PostgresServer;
let folder: string;
let store: Store;
let log: AuditLog;
let databaseUrl: string;
let queuePrefix: string;

beforeAll(async () => {
  temporal = await connectToTemporal();
  server = await startPostgresServer();
});

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-worker-audit-'));
  mkdirSync(path.join(folder, 'heads'));
  writeFileSync(path.join(folder, 'environments.yaml'), '{"environments":{}}');
  databaseUrl = await server.createDatabase();
  store = openStore(databaseUrl);
  await migrate(store);
  log = createPostgresAuditLog({ store });
  queuePrefix = path.basename(folder).toLowerCase();
});

afterEach(async () => {
  for (const child of children) child.signal('SIGKILL');
  await Promise.all(children.splice(0).map((child) => child.ended()));
  await store.close();
  rmSync(folder, { recursive: true });
});

afterAll(async () => {
  await server.remove();
  await temporal.teardown();
});

const startWorker = async (settings: Record<string, string> = {}): Promise<WorkerChild> => {
  const child = startWorkerChild({
    TEMPORAL_ADDRESS: temporal.address,
    HOLDFAST_POOLS: 'orchestration,kubernetes',
    HOLDFAST_ENVIRONMENTS: path.join(folder, 'environments.yaml'),
    HOLDFAST_BLOBS: path.join(folder, 'blobs'),
    HOLDFAST_QUEUE_PREFIX: queuePrefix,
    HOLDFAST_TIMEOUTS: 'test',
    HOLDFAST_AUDIT_HEAD_EVERY_MS: '200',
    HOLDFAST_AUDIT_EXPORT: path.join(folder, 'heads'),
    DATABASE_URL: databaseUrl,
    ...settings,
  });
  children.push(child);
  await child.health();
  return child;
};

/** As the facade starts it; the environment is not there, so that nothing is touched. */
const startRelease = async (release: string): Promise<WorkflowHandle> =>
  temporal.client.workflow.start('deployService', {
    workflowId: `deploy:nowhere:shop:${queuePrefix}-${release}`,
    taskQueue: `${queuePrefix}-orchestration`,
    args: [
      {
        service: 'shop',
        environment: `nowhere-${queuePrefix.slice(-6)}`,
        release,
        manifestsDigest: `sha256:${'0'.repeat(64)}`,
        stableMs: 0,
        deadlineMs: 300_000,
        requestedBy: { actor: 'ana@example.com', reason: 'to test the log' },
      },
    ],
  });

const recorded = async (): Promise<AuditBody[]> => {
  const bodies: AuditBody[] = [];
  for await (const { body } of log.read({ from: 0 })) bodies.push(JSON.parse(body) as AuditBody);
  return bodies;
};

const hourMs = 3_600_000;

/** The sweep of a worker, as if it looked an hour later. */
const sweep = async (): Promise<void> =>
  closeEndedRuns({
    auditLog: log,
    client: temporal.client,
    log: pino({ level: 'silent' }),
    nowMs: Date.now() + hourMs,
  });

describe('the audit log of a worker', () => {
  test('has who asked for a release that was refused, and how it ended', async () => {
    await startWorker();
    const run = await startRelease('v1');
    await expect(run.result()).rejects.toThrow();
    const { runId } = await run.describe();
    const [intent] = await recorded();
    expect(intent).toMatchObject({
      action: 'deployService.start',
      phase: 'intent',
      subject: { run: run.workflowId },
      reason: 'to test the log',
      decision: { verdict: 'allowed' },
      actor: { verification: 'unverified' },
      correlation: runId,
    });
    expect(await log.people()).toMatchObject([{ name: 'ana@example.com' }]);
    await sweep();
    await sweep();
    const outcomes = (await recorded()).filter(({ phase }) => phase === 'outcome');
    expect(outcomes).toMatchObject([
      { action: 'deployService.start', correlation: runId, result: 'the run ended failed' },
    ]);
  });

  test('has every message, also while the database is away, and a run that was terminated', async () => {
    await startWorker({ HOLDFAST_POOLS: 'orchestration' });
    const run = await startRelease('v2');
    const pause = { actor: 'bob@example.com', reason: 'looks odd' };
    await run.executeUpdate('pause', { args: [pause] });
    await expect(run.executeUpdate('approve', { args: [pause] })).rejects.toThrow();
    const refused = await until(recorded, (bodies) => bodies.length === 3);
    expect(refused[2]).toMatchObject({
      action: 'deployService.approve',
      phase: 'effect',
      reason: 'looks odd',
      decision: { verdict: 'refused' },
      actor: { verification: 'unverified' },
    });
    await server.stop();
    await run.executeUpdate('resume', { args: [{ ...pause, reason: 'looks fine' }] });
    expect(await readdir(path.join(folder, 'blobs', 'audit', 'waiting'))).toHaveLength(1);
    await server.start();
    const all = await until(recorded, (bodies) => bodies.length === 4);
    expect(all).toMatchObject([
      { action: 'deployService.start', phase: 'intent' },
      {
        action: 'deployService.pause',
        phase: 'effect',
        reason: 'looks odd',
        decision: { verdict: 'allowed' },
      },
      { action: 'deployService.approve' },
      { action: 'deployService.resume', phase: 'effect', reason: 'looks fine' },
    ]);
    await sweep();
    expect(await recorded()).toHaveLength(4);
    await run.terminate('by hand');
    await sweep();
    expect((await recorded()).at(-1)).toMatchObject({ result: 'the run ended terminated' });
  });

  test('has the ending of a release once, and is signed and exported by itself', async () => {
    await startWorker();
    const release = endedRelease(1);
    for (const attempt of ['a', 'b']) {
      const handle = await temporal.client.activity.start('releaseRecords.add', {
        id: `${queuePrefix}-${attempt}`,
        taskQueue: `${queuePrefix}-kubernetes`,
        startToCloseTimeout: '60s',
        args: [release],
      });
      await handle.result();
    }
    expect(await recorded()).toMatchObject([
      { phase: 'outcome', correlation: release.runId, result: release.ending },
    ]);
    const heads = path.join(folder, 'heads');
    const exported = await until(
      async () => readHeads(heads).catch(() => undefined),
      (found) => found !== undefined,
    );
    expect(exported).toMatchObject({ heads: [{ size: 1 }] });
  });

  test('has who read payloads, before they are handed out', async () => {
    const [port = 0] = await chooseFreePorts(1);
    const ring = path.join(folder, 'keys.json');
    await createKeyRingFile(ring, new Date());
    const holder = 'eve@example.com';
    const { token, entry } = await issueCodecToken(codecTokensBeside(ring), {
      holder,
      at: new Date(),
      lifetimeMs: hourMs,
    });
    await startWorker({
      HOLDFAST_KEY_RING: ring,
      HOLDFAST_CODEC_PORT: String(port),
      HOLDFAST_CODEC_ORIGIN: 'http://127.0.0.1:8233',
    });
    const asked = async (secret: string): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${String(port)}/decode`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'x-namespace': 'default' },
        body: JSON.stringify({ payloads: [{ metadata: {}, data: '' }] }),
      });
      return response.status;
    };
    expect(await asked('guessed')).toBe(401);
    expect(await asked(token)).toBe(200);
    expect(await recorded()).toMatchObject([
      {
        action: 'payloads.decode',
        subject: { namespace: 'default', token: entry.id },
        result: '0 of 1 opened, 0 refused',
      },
    ]);
    expect(await log.people()).toMatchObject([{ name: holder }]);
  });

  test('is off without a database, and that is said at the start', async () => {
    const worker = await startWorker({ DATABASE_URL: '' });
    await worker.logged('the audit log is off: DATABASE_URL is not set');
    await expect((await startRelease('v3')).result()).rejects.toThrow();
    expect(await recorded()).toEqual([]);
  });
});
