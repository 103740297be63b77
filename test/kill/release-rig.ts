import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type {
  DeployServiceProgress,
  DeployServiceResult,
} from '../../contracts/delivery/deploy-service.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import type { AuditedWrite } from './audit-log.ts';
import type { FaultProxy } from './fault-proxy.ts';
import {
  createReleaseLane,
  type LaneOptions,
  type ReleaseLane,
  type Stack,
} from './release-lane.ts';
import type { WorkerProcess } from './worker-process.ts';

export type { Stack } from './release-lane.ts';

export interface ReleaseRequest {
  release: string;
  objects: KubernetesObject[];
  /** Fields of the input beyond the manifests. */
  input?: Record<string, unknown>;
}

/** One service in one namespace, released by the worker of a lane. */
export interface ReleaseRig {
  readonly stack: Stack;
  readonly namespace: string;
  readonly proxy: FaultProxy;
  readonly worker: WorkerProcess;
  readonly client: Client;
  workflowId(release: string): string;
  start(request: ReleaseRequest): Promise<void>;
  result(release: string): Promise<DeployServiceResult>;
  /** Waits until an operator could let the release go on, and says the verb then. */
  steer(release: string, verb: 'promote' | 'abort'): Promise<void>;
  release(request: ReleaseRequest): Promise<DeployServiceResult>;
  writes(): Promise<AuditedWrite[]>;
  /** Ends the lane too, where the rig made its own. */
  close(): Promise<void>;
}

const service = 'shop';

const inputOf = async (
  stack: Stack,
  environment: string,
  request: ReleaseRequest,
): Promise<object> => {
  const bytes = new TextEncoder().encode(JSON.stringify({ objects: request.objects }));
  return {
    service,
    environment,
    release: request.release,
    manifestsDigest: await stack.blobs.put(bytes),
    stableMs: 0,
    deadlineMs: 300_000,
    requestedBy: { actor: 'kill-matrix', reason: 'fault injection' },
    ...request.input,
  };
};

/** A rig in a lane that serves others after it. */
export const createRigInLane = async (
  lane: ReleaseLane,
  namespace: string,
): Promise<ReleaseRig> => {
  const { stack, client } = lane;
  await lane.createNamespace(namespace);
  const workflowId = (release: string): string => `deploy:${namespace}:${service}:${release}`;
  const start = async (request: ReleaseRequest): Promise<void> => {
    await client.workflow.start('deployService', {
      workflowId: workflowId(request.release),
      taskQueue: `${lane.name}-orchestration`,
      // A killed worker takes its workflow task with it; this is how long that is waited for.
      ...(lane.timeouts === 'test' ? { workflowTaskTimeout: '3s' } : {}),
      args: [await inputOf(stack, namespace, request)],
    });
  };
  const result = async (release: string): Promise<DeployServiceResult> =>
    (await client.workflow.getHandle(workflowId(release)).result()) as DeployServiceResult;
  const handleOf = (release: string): WorkflowHandle =>
    client.workflow.getHandle(workflowId(release));
  const steer = async (release: string, verb: 'promote' | 'abort'): Promise<void> => {
    const handle = handleOf(release);
    while (!(await isPromotable(handle))) await delay(100);
    await handle.executeUpdate(verb, { args: [operator] });
  };
  return {
    stack,
    namespace,
    proxy: lane.proxy,
    worker: lane.worker,
    client,
    workflowId,
    start,
    result,
    steer,
    release: async (request) => {
      await start(request);
      return result(request.release);
    },
    writes: () => stack.auditLog.writesIn(namespace),
    close: () => {
      lane.proxy.decide = () => ({ kind: 'forward' });
      return Promise.resolve();
    },
  };
};

const operator = { actor: 'kill-matrix', reason: 'the test' };

/** Nobody answers while the worker is away. */
const progressOf = async (handle: WorkflowHandle): Promise<DeployServiceProgress | undefined> => {
  const progress = await handle.query<DeployServiceProgress>('progress').catch(() => undefined);
  if (progress?.status === 'finished') throw new Error(`${handle.workflowId} has ended already`);
  return progress;
};

/** It is held at a weight, keeps the old version, or watches a share of the traffic. */
const isPromotable = async (handle: WorkflowHandle): Promise<boolean> => {
  const progress = await progressOf(handle);
  const isWatching = progress?.stages.some(
    ({ name, status }) => name.startsWith('watch at') && status === 'running',
  );
  return isWatching === true || progress?.waitingFor?.verbs.includes('promote') === true;
};

export type RigOptions = Pick<
  LaneOptions,
  'timeouts' | 'throughProxy' | 'prometheusUrl' | 'settings'
>;

const forFaults: RigOptions = { timeouts: 'test', throughProxy: true };

/** A rig with a lane of its own. */
export const createReleaseRig = async (
  stack: Stack,
  namespace: string,
  options: RigOptions = forFaults,
): Promise<ReleaseRig> => {
  const environments = [namespace];
  const lane = await createReleaseLane(stack, { ...options, name: namespace, environments });
  const rig = await createRigInLane(lane, namespace);
  return { ...rig, close: () => lane.close() };
};
