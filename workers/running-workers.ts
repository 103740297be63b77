import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Pool } from '../contracts/shared/define-contract.ts';
import {
  createFilesystemCodecTokens,
  createLoggedDecodeRecords,
} from '../activities/encryption/index.ts';
import { deliveryMetricsText } from '../domain/delivery/delivery-metrics.ts';
import { openAudit, type Audit } from './audit.ts';
import { auditedDecodeRecords } from './audited-ports.ts';
import { openIdentity, type OpenIdentity } from './access.ts';
import { startCodecEndpoint, type CodecEndpoint } from './codec-endpoint.ts';
import type { WorkerConfig } from './config.ts';
import { openEncryption } from './encryption.ts';
import { startHealthServer, type Readiness } from './health.ts';
import type { PoolContext, PoolSetup } from './pools/pool-setup.ts';
import { openReleaseStore, type ReleaseStore } from './release-store.ts';
import { StartError } from './start-error.ts';
import { installTelemetry } from './telemetry.ts';
import { workerOptions } from './worker-options.ts';

/** Workers of this process that poll their queues. */
export interface RunningWorkers {
  /** Base address of `/livez`, `/readyz` and, with a store, `/metrics`. */
  healthAddress: string;
  /** Base address of the codec endpoint, where there is one. */
  codecAddress: string | undefined;
  /** Settles when all workers have ended; rejects when one of them failed. */
  finished: Promise<void>;
  /** Takes no new work, lets running work finish or hand over, and ends. Safe to call twice. */
  stop(): Promise<void>;
}

type SetUpPool = (context: PoolContext) => Promise<PoolSetup>;

/** Loaded on demand: a process holds only the client libraries that its pools need. */
const setups: Record<Pool, SetUpPool> = {
  orchestration: async (context) =>
    (await import('./pools/orchestration.ts')).orchestrationPool(context),
  kubernetes: async (context) => (await import('./pools/kubernetes.ts')).kubernetesPool(context),
  traffic: async (context) => (await import('./pools/traffic.ts')).trafficPool(context),
  notify: async (context) => (await import('./pools/notify.ts')).notifyPool(context),
};

const readinessDeadlineMs = 2_000;

/**
 * Starts one worker for each pool of the configuration, in this process.
 *
 * @throws StartError if the key ring cannot be used or the Temporal server does not answer; whatever a pool throws while it is set
 * up. Nothing is left running then.
 */
export const runWorkers = async (config: WorkerConfig): Promise<RunningWorkers> => {
  const log = installTelemetry(config.logLevel);
  const encryption = await openEncryption(config.keyRingFile);
  const connection = await connect(config);
  let releases: ReleaseStore | undefined;
  let audit: Audit | undefined;
  let access: OpenIdentity | undefined;
  try {
    access = await openIdentity(config);
    releases = await openReleaseStore(config, log);
    audit = await openAudit(config, log);
    return await runOn({
      config,
      connection,
      namespace: config.temporal.namespace ?? 'default',
      releases,
      encryption,
      audit,
      identity: access.identity,
      warrants: access.warrants,
      access: access.gate,
      closeIdentity: access.close,
      log,
    });
  } catch (error) {
    await audit?.close();
    await access?.close();
    await releases?.close();
    await connection.close();
    throw error;
  }
};

const connect = async ({ temporal }: WorkerConfig): Promise<NativeConnection> => {
  try {
    return await NativeConnection.connect(temporal.connectionOptions);
  } catch (error) {
    const address = temporal.connectionOptions.address ?? 'localhost:7233';
    const reason = error instanceof Error ? error.message : String(error);
    const what = `The worker was not started: Temporal at ${address} does not answer (${reason}).`;
    throw new StartError('TEMPORAL_UNREACHABLE', what);
  }
};

const runOn = async (
  context: PoolContext & { closeIdentity: () => Promise<void> },
): Promise<RunningWorkers> => {
  const workers = await createWorkers(context);
  const health = await startHealthServer({
    ...context.config.health,
    readiness: () => readinessOf(workers, context),
    metrics: deliveryMetricsOf(context),
  });
  const codec = await openCodecEndpoint(context);
  const stopPolling = (): void => {
    for (const worker of workers.values()) {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    }
  };
  const running = [...workers.values()].map((worker) => worker.run());
  context.audit?.keepUp(clientOf(context));
  // A pool that is missing would leave runs waiting in silence; the supervisor starts all anew.
  for (const run of running) run.catch(stopPolling);
  const finished = endOf(running, async () => {
    await codec?.close();
    await health.close();
    await context.audit?.close();
    await context.releases?.close();
    await context.closeIdentity();
    await context.connection.close();
  });
  // The caller decides when to look; until then a failure must not end the process unseen.
  finished.catch((error: unknown) => context.log.error({ err: error }, 'a worker failed'));
  context.log.info(
    { pools: [...workers.keys()], health: health.address, codec: codec?.address },
    'workers are polling',
  );
  return {
    healthAddress: health.address,
    codecAddress: codec?.address,
    finished,
    stop: async () => {
      stopPolling();
      await finished;
    },
  };
};

const clientOf = ({ connection, namespace, encryption: { dataConverter } }: PoolContext): Client =>
  new Client({ connection, namespace, dataConverter });

const openCodecEndpoint = async ({
  config: { codec },
  encryption: { ring },
  audit,
  log,
}: PoolContext): Promise<CodecEndpoint | undefined> => {
  if (codec === undefined || ring === undefined) return undefined;
  const { tokensFile, ...place } = codec;
  const logged = createLoggedDecodeRecords(log);
  return startCodecEndpoint({
    ...place,
    ring,
    tokens: createFilesystemCodecTokens(tokensFile),
    records: audit === undefined ? logged : auditedDecodeRecords(logged, audit),
    log,
  });
};

/** Every process with the store gives the same figures: they are not to be added up. */
const deliveryMetricsOf = ({ releases }: PoolContext): (() => Promise<string>) | undefined =>
  releases === undefined ? undefined : async () => deliveryMetricsText(await releases.figures());

const createWorkers = async (context: PoolContext): Promise<Map<Pool, Worker>> => {
  const workers = await Promise.all(
    context.config.pools.map(async (pool): Promise<[Pool, Worker]> => {
      const setup = await setups[pool](context);
      return [pool, await Worker.create(workerOptions(pool, context, setup))];
    }),
  );
  return new Map(workers);
};

/** Waits for all, so that no worker is cut off; then reports the first failure. */
const endOf = async (running: Promise<void>[], close: () => Promise<void>): Promise<void> => {
  const ends = await Promise.allSettled(running);
  await close();
  for (const end of ends) {
    if (end.status === 'rejected') throw end.reason;
  }
};

const readinessOf = async (
  workers: ReadonlyMap<Pool, Worker>,
  { connection, namespace, releases }: PoolContext,
): Promise<Readiness> => {
  const asked = {
    namespace: problemOf(connection.workflowService.describeNamespace({ namespace })),
    ...(releases?.reach === undefined ? {} : { store: problemOf(releases.reach()) }),
  };
  const detail: Record<string, string> = {};
  for (const [pool, worker] of workers) detail[pool] = stateOf(pool, worker);
  let ready = Object.values(detail).every((state) => state === 'polling');
  for (const [name, answer] of Object.entries(asked)) {
    const problem = await answer;
    detail[name] = problem === undefined ? 'reachable' : `unreachable: ${problem}`;
    ready &&= problem === undefined;
  }
  return { ready, detail };
};

const stateOf = (pool: Pool, worker: Worker): string => {
  const { runState, workflowPollerState, activityPollerState } = worker.getStatus();
  // Only one pool has workflows; the other workers shut that poller down at once.
  const pollers =
    pool === 'orchestration' ? [workflowPollerState, activityPollerState] : [activityPollerState];
  const polling = runState === 'RUNNING' && pollers.every((state) => state === 'POLLING');
  return polling ? 'polling' : runState.toLowerCase();
};

/** Why it does not answer; undefined if it does. */
const problemOf = async (answer: Promise<unknown>): Promise<string | undefined> => {
  const asked = answer.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  // A connection tries again for longer than the deadline of a call while it has no server.
  const late = delay(readinessDeadlineMs, `no answer in ${String(readinessDeadlineMs)} ms`, {
    ref: false,
  });
  return Promise.race([asked, late]);
};
