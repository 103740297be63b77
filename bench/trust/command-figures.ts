import { performance } from 'node:perf_hooks';
import {
  createOpsClient,
  OpsError,
  type DeployServiceHandle,
  type OpsClient,
} from '../../client/index.ts';
import { makeAccessKey } from '../../activities/identity/index.ts';
import {
  createPostgresAccessKeys,
  createPostgresAuditLog,
  migrate,
  openStore,
} from '../../activities/store/postgres/index.ts';
import type { AuditBody } from '../../domain/security/audit-record.ts';
import { sandboxDown } from '../../sandbox/index.ts';
import { createReleaseLane } from '../../test/kill/release-lane.ts';
import { createAccessFolder } from '../../test/setup/access-folder.ts';
import { levelOneState, startReleaseStack } from '../../test/setup/release-stack.ts';
import { manifestsOf } from '../../test/workflow/delivery/sample-release.ts';
import type { Figure } from '../figure.ts';
import { percentile } from './percentile.ts';

const namespace = 'bench-commands';
const operator = 'omar@example.com';
/** A run refuses to be paused more than forty times. */
const pairsInRun = 15;
const runs = 8;
const yearMs = 365 * 86_400_000;

/** A key in the database, where the workers of an installation look for it. */
const keyFor = async (url: string, holder: string): Promise<string> => {
  await using store = openStore(url);
  await migrate(store);
  const { text, id, publicKey } = makeAccessKey(holder);
  const at = new Date();
  await createPostgresAccessKeys({ store }).add({
    ...{ id, holder, publicKey },
    scope: { environments: [], actions: [] },
    createdAt: at.toISOString(),
    expiresAt: new Date(at.getTime() + yearMs).toISOString(),
  });
  return text;
};

/** How many records of accepted messages the log has. */
const recordedCommands = async (url: string): Promise<number> => {
  await using store = openStore(url);
  let count = 0;
  for await (const { body } of createPostgresAuditLog({ store }).read({ from: 0 })) {
    const { phase, decision } = JSON.parse(body) as AuditBody;
    if (phase === 'effect' && decision?.verdict === 'allowed') count += 1;
  }
  return count;
};

const untilItWaits = async (run: DeployServiceHandle): Promise<void> => {
  for await (const { progress } of run.watch({ intervalMs: 50 })) {
    if (progress?.waitingFor?.planDigest !== undefined) return;
  }
  throw new Error('the run ended before it waited for its approval');
};

const commandsMs = async (run: DeployServiceHandle, count: number): Promise<number[]> => {
  const reason = 'the dashboards look as they did yesterday';
  const tookMs: number[] = [];
  for (let made = 0; made < count; made += 1) {
    for (const verb of ['pause', 'resume'] as const) {
      const startedAt = performance.now();
      await run[verb]({ reason });
      tookMs.push(performance.now() - startedAt);
    }
  }
  return tookMs;
};

/** A release that waits for its approval while it is paused and resumed, and is then given up. */
const steeredRunMs = async (ops: OpsClient): Promise<number[]> => {
  const run = await ops.delivery.deployService.start({
    service: 'shop',
    environment: namespace,
    manifests: manifestsOf('1'),
    approvals: [{ name: 'release-manager', expiresAfterMs: 600_000 }],
  });
  await untilItWaits(run);
  const tookMs = await commandsMs(run, pairsInRun);
  await run.abort({ reason: 'measured' });
  await run.result().then(
    () => Promise.reject(new Error('a release that was given up was deployed')),
    (error: unknown) => {
      if (!(error instanceof OpsError) || error.code !== 'ABORTED') throw error;
    },
  );
  return tookMs;
};

/**
 * A command of an operator end to end, one after the other: permission asked by the client, signed,
 * sent to the real server, signature and permission checked in the run by a worker process of its
 * own, recorded in the audit log in PostgreSQL, answered.
 */
export const measureCommands = async (url: string): Promise<Omit<Figure, 'holds' | 'ratio'>[]> => {
  const folder = createAccessFolder();
  const accessKey = await keyFor(url, operator);
  const stack = await startReleaseStack(1, `${namespace}-${String(process.pid)}`);
  const lane = await createReleaseLane(stack, {
    name: namespace,
    environments: [namespace],
    timeouts: 'standard',
    throughProxy: false,
    settings: { DATABASE_URL: url, HOLDFAST_ACCESS: folder.file },
  });
  try {
    await lane.createNamespace(namespace);
    await using ops = await createOpsClient({
      client: lane.client,
      queuePrefix: lane.name,
      blobs: { directory: stack.blobsDirectory },
      access: { accessFile: folder.file, accessKey, databaseUrl: url },
    });
    const tookMs: number[] = [];
    for (let made = 0; made <= runs; made += 1) {
      const measured = await steeredRunMs(ops);
      // The first one warms up.
      if (made > 0) tookMs.push(...measured);
    }
    const sent = (runs + 1) * (2 * pairsInRun + 1);
    const recorded = await recordedCommands(url);
    if (recorded !== sent) {
      throw new Error(`${String(sent)} commands were sent, ${String(recorded)} are recorded`);
    }
    return [50, 99].map((percent) => ({
      bench: 'trust',
      metric: `command_p${String(percent)}_ms`,
      value: percentile(tookMs, percent),
      unit: 'ms',
    }));
  } finally {
    await lane.close();
    await sandboxDown(levelOneState);
    folder.remove();
  }
};
