import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { WorkflowHandle } from '@temporalio/client';
import { createContracts } from '../../../activities/contracts/index.ts';
import { createLocks } from '../../../activities/coordination/index.ts';
import { createUnverifiedIdentity, type Warrants } from '../../../activities/identity/index.ts';
import type { Identity } from '../../../activities/identity/port.ts';
import { createMeasurements } from '../../../activities/metrics/index.ts';
import type { Notification } from '../../../activities/notify/port.ts';
import type { EndedRelease } from '../../../domain/delivery/ended-release.ts';
import { taskQueueOf } from '../../../domain/shared/task-queue.ts';
import { refusalSinks } from '../../../workers/refused-messages.ts';
import { warrantedWrites } from '../../../workers/warranted-writes.ts';
import { createReplayer } from '../../replay/history-replayer.ts';
import { recordHistory } from '../../replay/recorded-history.ts';
import { connectToTemporal, startTimeSkipping } from '../../setup/temporal-environment.ts';
import { createInMemoryAlertRules } from '../../fakes/in-memory-alert-rules.ts';
import { createInMemoryCluster } from '../../fakes/in-memory-cluster.ts';
import type { InMemoryCluster } from '../../fakes/in-memory-cluster.ts';
import { createInMemoryMetrics } from '../../fakes/in-memory-metrics.ts';
import { createInMemoryProbes } from '../../fakes/in-memory-probes.ts';

export type World = ReturnType<typeof createWorld>;

/** The outside of one environment: cluster, traffic and who is notified. */
const createWorld = (environment: string) => {
  const cluster: InMemoryCluster = createInMemoryCluster();
  const { probes, knobs } = createInMemoryProbes();
  const prometheus = { url: 'http://127.0.0.1:9090', rulesDirectory: 'in-memory' };
  const place = { context: 'in-memory', namespace: 'in-memory', traffic: 'cluster-ip' } as const;
  const environments = { [environment]: { ...place, metrics: { prometheus } } };
  const { metrics, knobs: measured } = createInMemoryMetrics({ environments });
  const { alertRules, knobs: rules } = createInMemoryAlertRules({ environments });
  const notifications: Notification[] = [];
  const ended: EndedRelease[] = [];
  const metered = { metrics, measured, alertRules, rules };
  const outside = { probes, traffic: knobs, ...metered, notifications, ended };
  return { environment, cluster, ...outside, hooks: {} as Hooks };
};

/** What a test does at the moment an activity is about to act. */
interface Hooks {
  /** Called in the activity, with its type and the id of the run that called it. */
  beforeCall?: (activity: string, workflowId: string) => Promise<void> | void;
}

/** Workers of all pools on a Temporal server; each test gets an environment of its own. */
export interface ReleaseServer {
  readonly env: TestWorkflowEnvironment;
  readonly prefix: string;
  world(): World;
  /** The histories of these runs replay with the code as it is. */
  replay(handles: readonly WorkflowHandle[]): Promise<void>;
  /** Like `replay`, and keeps the history under the name if recording is asked for. */
  replayAndRecord(handle: WorkflowHandle, name: string): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** `shared`, the default, has real time and serves other test files too. */
  kind?: 'time-skipping' | 'shared';
  profile?: 'standard' | 'test';
  /** Who checks senders; unless given, everyone is taken at their word. */
  identity?: Identity;
  /** Unless given, writes need none. */
  warrants?: Warrants | undefined;
}

const bundlePath = (): string => {
  const path = process.env['HOLDFAST_WORKFLOW_BUNDLE'];
  if (path === undefined) throw new Error('the global set-up made no workflow bundle');
  return path;
};

type Verbs = Record<string, (request: never) => Promise<unknown>>;

/** Adds the verbs of a port under their names on the wire, routed by the environment asked for. */
const routed = (
  port: string,
  verbs: readonly string[],
  find: (environment: string) => { port: Verbs; hooks: Hooks },
): Record<string, (request: { environment: string }) => Promise<unknown>> =>
  Object.fromEntries(
    verbs.map((verb) => [
      `${port}.${verb}`,
      async (request: { environment: string }) => {
        const { port: called, hooks } = find(request.environment);
        const { workflowExecution } = Context.current().info;
        await hooks.beforeCall?.(`${port}.${verb}`, workflowExecution?.workflowId ?? '');
        return called[verb]?.(request as never);
      },
    ]),
  );

export const startReleaseServer = async (options: ServerOptions = {}): Promise<ReleaseServer> => {
  const env = await (options.kind === 'time-skipping' ? startTimeSkipping() : connectToTemporal());
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  const replayer = createReplayer();
  const replayRun = async (handle: WorkflowHandle): Promise<void> =>
    replayer.replay(await handle.fetchHistory(), handle.workflowId);
  const worlds = new Map<string, World>();
  const find = (environment: string): World => {
    const world = worlds.get(environment);
    if (world === undefined) throw new Error(`no environment ${environment}`);
    return world;
  };
  const workers = await createWorkers(env, {
    ...{ prefix, find, profile: options.profile ?? 'test' },
    identity: options.identity ?? createUnverifiedIdentity(),
    warrants: options.warrants,
  });
  const running = workers.map((worker) => worker.run());
  let serial = 0;
  return {
    env,
    prefix,
    world() {
      serial += 1;
      const world = createWorld(`${prefix}-${serial}`);
      worlds.set(world.environment, world);
      return world;
    },
    async replay(handles) {
      for (const handle of handles) await replayRun(handle);
    },
    async replayAndRecord(handle, name) {
      await replayRun(handle);
      await recordHistory(handle, name);
    },
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await replayer.close();
      await env.teardown();
    },
  };
};

interface WorkerSetup {
  prefix: string;
  find: (environment: string) => World;
  profile: 'standard' | 'test';
  identity: Identity;
  warrants: Warrants | undefined;
}

const createWorkers = async (
  env: TestWorkflowEnvironment,
  { prefix, find, profile, identity, warrants }: WorkerSetup,
): Promise<Worker[]> => {
  const contracts = createContracts({ timeoutProfile: profile });
  const locks = createLocks({ client: env.client, queuePrefix: prefix });
  const activities: Record<string, Verbs> = {
    orchestration: {
      'contracts.parse': (request: never) => contracts.parse(request),
      'identity.verify': (request: never) => identity.verify(request),
      'locks.request': (request: never) => locks.request(request),
      'locks.holderStatus': (request: never) => locks.holderStatus(request),
    },
    kubernetes: {
      ...routed('releases', releaseVerbs, (name) => ({
        port: { ...find(name).cluster.releases },
        hooks: find(name).hooks,
      })),
      ...routed('routes', ['setWeight', 'awaitTaken'], (name) => ({
        port: { ...find(name).cluster.routes },
        hooks: find(name).hooks,
      })),
      ...routed('checks', ['validate', 'exec', 'runJob', 'deleteJob'], (name) => ({
        port: { ...find(name).cluster.checks },
        hooks: find(name).hooks,
      })),
      'releaseRecords.add': async (record: EndedRelease) => {
        find(record.environment).ended.push(record);
      },
      ...routed('workloads', workloadVerbs, (name) => ({
        port: { ...find(name).cluster.workloads },
        hooks: find(name).hooks,
      })),
    },
    traffic: {
      ...routed('probes', ['smoke', 'reach', 'watch'], (name) => ({
        port: { ...find(name).probes },
        hooks: find(name).hooks,
      })),
      ...routed('metrics', ['query', 'queryRange'], (name) => ({
        port: { ...find(name).metrics },
        hooks: find(name).hooks,
      })),
      ...routed('alertRules', alertVerbs, (name) => ({
        port: { ...find(name).alertRules },
        hooks: find(name).hooks,
      })),
      ...routed('measurements', ['measure', 'check', 'watchCounts'], (name) => ({
        port: { ...createMeasurements({ source: find(name).metrics }) },
        hooks: find(name).hooks,
      })),
    },
    notify: {
      'notifications.send': async ({ notification }: { notification: Notification }) => {
        find(notification.environment ?? '').notifications.push(notification);
      },
    },
  };
  return Promise.all(
    Object.entries(activities).map(([pool, verbs]) =>
      Worker.create({
        connection: env.nativeConnection,
        namespace: env.namespace ?? 'default',
        taskQueue: taskQueueOf(prefix, pool),
        activities: verbs,
        interceptors: { activity: warrants === undefined ? [] : [warrantedWrites(warrants)] },
        maxHeartbeatThrottleInterval: '200ms',
        defaultHeartbeatThrottleInterval: '200ms',
        ...(pool === 'orchestration'
          ? { workflowBundle: { codePath: bundlePath() }, sinks: refusalSinks(undefined) }
          : {}),
      }),
    ),
  );
};

const releaseVerbs = ['plan', 'capture', 'write', 'revert', 'prove', 'prune', 'highestFence'];
const alertVerbs = ['check', 'capture', 'write', 'awaitLoaded', 'putBack'];
const workloadVerbs = [
  'awaitRollout',
  'awaitEndpoints',
  'setPaused',
  'scale',
  'keepLogs',
  'retire',
];
