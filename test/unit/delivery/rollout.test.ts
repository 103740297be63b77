import { describe, expect, test } from '@jest/globals';
import { endpointVerdict } from '../../../domain/delivery/endpoint-readiness.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { rolloutFailure } from '../../../domain/delivery/rollout-failure.ts';
import {
  isRolloutComplete,
  observeRollout,
  restartsOf,
  stuckPods,
  type RolloutSnapshot,
} from '../../../domain/delivery/rollout-readiness.ts';

const deployment = (status: object = {}, spec: object = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', generation: 3 },
  spec: { replicas: 2, ...spec },
  status: {
    observedGeneration: 3,
    replicas: 2,
    updatedReplicas: 2,
    availableReplicas: 2,
    ...status,
  },
});

const activeSet: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'shop-1', uid: 'rs-1' },
};

const pod = (name: string, status: object, metadata: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  status,
});

const isReady = { conditions: [{ type: 'Ready', status: 'True' }] };
const readyPods = [pod('a', isReady), pod('b', isReady)];
const waiting = (reason: string, message?: string): object => ({
  containerStatuses: [
    { name: 'app', image: 'shop:2', restartCount: 1, state: { waiting: { reason, message } } },
  ],
});

describe('a rollout is complete', () => {
  const complete = (
    over: Partial<Parameters<typeof isRolloutComplete>[0]>,
    generation = 3,
  ): boolean =>
    isRolloutComplete(
      { workload: deployment(), activeSet, pods: readyPods, others: [], ...over },
      generation,
    );

  test('when status and pods of the written generation say so', () => {
    expect(complete({})).toBe(true);
  });

  test.each([
    [
      'the status speaks of an older generation',
      { workload: deployment({ observedGeneration: 2 }) },
    ],
    ['an old pod is still there', { workload: deployment({ replicas: 3 }) }],
    ['a pod is not updated', { workload: deployment({ updatedReplicas: 1 }) }],
    ['a pod is not available', { workload: deployment({ availableReplicas: 1 }) }],
    ['it is paused', { workload: deployment({}, { paused: true }) }],
    ['its ReplicaSet is not made yet', { activeSet: undefined }],
    ['a pod of it is missing', { pods: readyPods.slice(1) }],
    ['a pod of it is not ready', { pods: [pod('a', isReady), pod('b', {})] }],
    [
      'a pod of it is being deleted',
      { pods: [pod('a', isReady), pod('b', isReady, { deletionTimestamp: 'now' })] },
    ],
  ])('but not while %s', (_, over) => {
    expect(complete(over)).toBe(false);
  });

  test('but not for a generation that is not observed yet', () => {
    expect(complete({}, 4)).toBe(false);
  });
});

describe('a workload that is to have no pods', () => {
  const none = deployment(
    { replicas: 0, updatedReplicas: 0, availableReplicas: 0 },
    { replicas: 0 },
  );
  const gone = (pods: KubernetesObject[], others: KubernetesObject[]): boolean =>
    isRolloutComplete({ workload: none, activeSet, pods, others }, 3);

  test('is there when the last pod of any version is gone, not when it leaves', () => {
    expect(gone([], [])).toBe(true);
    expect(gone([pod('a', isReady, { deletionTimestamp: 'now' })], [])).toBe(false);
    expect(gone([], [pod('old', {}, { deletionTimestamp: 'now' })])).toBe(false);
  });
});

describe('a StatefulSet', () => {
  const statefulSet = (status: object = {}, partition = 0): KubernetesObject => ({
    ...deployment(status, { updateStrategy: { rollingUpdate: { partition } } }),
    kind: 'StatefulSet',
  });
  const old = pod('store-0', isReady);
  const snapshot = (over: Partial<RolloutSnapshot>): RolloutSnapshot => ({
    workload: statefulSet(),
    activeSet,
    pods: readyPods,
    others: [],
    ...over,
  });

  test('keeps the old version below its partition', () => {
    const workload = statefulSet({ updatedReplicas: 1 }, 1);
    const half = { workload, pods: readyPods.slice(1), others: [old] };
    expect(isRolloutComplete(snapshot(half), 3)).toBe(true);
    const none = { workload: statefulSet({ updatedReplicas: 0 }, 1), pods: [], others: [old] };
    expect(isRolloutComplete(snapshot(none), 3)).toBe(false);
  });

  test('names what owns its pods: itself', () => {
    const workload = { ...statefulSet(), metadata: { name: 'store', uid: 'sts-1' } };
    expect(observeRollout(snapshot({ workload })).replicaSet).toEqual({
      name: 'shop-1',
      uid: 'sts-1',
    });
  });

  test('is held back by pods of another version that are not ready, once it knows the new one', () => {
    const broken = pod('store-1', {});
    const others = [old, broken, pod('store-2', {}, { deletionTimestamp: 'now' })];
    expect(stuckPods(snapshot({ others }), 3)).toEqual([broken]);
    expect(stuckPods(snapshot({ others }), 4)).toEqual([]);
    expect(stuckPods(snapshot({ workload: deployment(), others }), 3)).toEqual([]);
  });
});

test('a DaemonSet is complete when every node that it is for has the new version', () => {
  const daemonSet = (updatedNumberScheduled: number): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', generation: 3 },
    status: {
      observedGeneration: 3,
      desiredNumberScheduled: 2,
      currentNumberScheduled: 2,
      numberAvailable: 2,
      updatedNumberScheduled,
    },
  });
  const complete = (workload: KubernetesObject): boolean =>
    isRolloutComplete({ workload, activeSet, pods: readyPods, others: [] }, 3);
  expect(complete(daemonSet(2))).toBe(true);
  expect(complete(daemonSet(1))).toBe(false);
});

describe('a rollout fails', () => {
  const nowMs = Date.parse('2030-01-01T00:01:00Z');
  const clock = { nowMs, graceMs: 30_000 };
  const failure = (over: Partial<Parameters<typeof rolloutFailure>[0]>, generation = 3) =>
    rolloutFailure(
      { workload: deployment(), activeSet, pods: [], others: [], ...over },
      generation,
      clock,
    );

  test.each([
    ['ImagePullBackOff', 'IMAGE_UNAVAILABLE'],
    ['ErrImagePull', 'IMAGE_UNAVAILABLE'],
    ['InvalidImageName', 'IMAGE_UNAVAILABLE'],
    ['CrashLoopBackOff', 'ROLLOUT_FAILED'],
    ['CreateContainerConfigError', 'ROLLOUT_FAILED'],
    ['RunContainerError', 'ROLLOUT_FAILED'],
  ])('on %s as %s', (reason, code) => {
    expect(failure({ pods: [pod('a', waiting(reason))] })?.code).toBe(code);
  });

  test('not while containers are being created', () => {
    expect(failure({ pods: [pod('a', waiting('ContainerCreating'))] })).toBeUndefined();
  });

  test.each(['configmap', 'secret'])('not while the node is late to read a %s', (kind) => {
    const late = `failed to sync ${kind} cache: timed out waiting for the condition`;
    const status = waiting('CreateContainerConfigError', late);
    expect(failure({ pods: [pod('a', status)] })).toBeUndefined();
    const missing = waiting('CreateContainerConfigError', `${kind} "settings" not found`);
    expect(failure({ pods: [pod('a', missing)] })?.reason).toContain('not found');
  });

  test('on an init container too', () => {
    const initContainerStatuses = [
      { name: 'init', state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ];
    const found = failure({ pods: [pod('a', { initContainerStatuses })] });
    expect(found?.container).toEqual({ pod: 'a', name: 'init' });
  });

  test('not by a pod that is being deleted, nor by the status of the version before', () => {
    const crashing = waiting('CrashLoopBackOff');
    expect(failure({ pods: [pod('a', crashing, { deletionTimestamp: 'now' })] })).toBeUndefined();
    expect(failure({ pods: [pod('a', crashing)] }, 4)).toBeUndefined();
  });

  test.each([
    ['pods "x" is forbidden: exceeded quota: tight', 'QUOTA_EXCEEDED'],
    ['serviceaccount "x" not found', 'ROLLOUT_FAILED'],
  ])('when pods cannot be created: %s', (message, code) => {
    const condition = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message };
    const set = { ...activeSet, status: { conditions: [condition] } };
    expect(failure({ activeSet: set })?.code).toBe(code);
  });

  test('on a pod that no node takes, but only after a grace', () => {
    const unschedulable = (lastTransitionTime: string): KubernetesObject =>
      pod('a', {
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', lastTransitionTime },
        ],
      });
    expect(failure({ pods: [unschedulable('2030-01-01T00:00:50Z')] })).toBeUndefined();
    expect(failure({ pods: [unschedulable('2030-01-01T00:00:20Z')] })?.code).toBe('ROLLOUT_FAILED');
    expect(
      observeRollout({ workload: deployment(), activeSet, pods: [unschedulable('')], others: [] })
        .pods,
    ).toEqual([{ name: 'a', ready: false, reason: 'Unschedulable' }]);
  });

  test('when Kubernetes gives up waiting', () => {
    const conditions = [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }];
    expect(failure({ workload: deployment({ conditions }) })?.code).toBe('ROLLOUT_DEADLINE');
  });
});

test('restarts of all containers are counted, so that a flap is seen', () => {
  expect(restartsOf([pod('a', waiting('x')), pod('b', waiting('x'))])).toBe(2);
});

describe('endpoints are settled', () => {
  const own = new Set(['p1', 'p2']);
  const settled = (uids: string[], replicas = 2, ownUids: ReadonlySet<string> = own): boolean =>
    endpointVerdict({ endpoints: new Map([['shop', uids]]), ownUids, replicas }).settled;

  test('when all ready ones belong to the new version, and are enough', () => {
    expect(settled(['p1', 'p2'])).toBe(true);
    expect(settled(['p1'])).toBe(false);
    expect(settled(['p1', 'p2', 'old'])).toBe(false);
    expect(settled([])).toBe(false);
  });

  test('also after an autoscaler took pods away, but never with none', () => {
    expect(settled(['p1'], 2, new Set(['p1']))).toBe(true);
    expect(settled([], 2, new Set())).toBe(false);
    expect(settled([], 0, new Set())).toBe(true);
  });
});
