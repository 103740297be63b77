import { describe, expect, test } from '@jest/globals';
import { recordAt } from '../../../domain/delivery/canonical-json.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { decidePause, isHeldStill } from '../../../domain/delivery/rollout-pause.ts';

interface Given {
  strategy?: object;
  status?: object;
}

const statefulSet = ({ strategy, status }: Given = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'store', generation: 2 },
  spec: {
    replicas: 4,
    updateStrategy: strategy ?? { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
  },
  status: { observedGeneration: 2, updatedReplicas: 1, ...status },
});

const daemonSet: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent' },
  spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } } },
};

/** The object after the decision. */
const decided = (live: KubernetesObject, paused: boolean): KubernetesObject => {
  const decision = decidePause(live, { paused, epoch: 3 });
  return decision.act === 'patch' ? decision.target : live;
};

const strategyOf = (object: KubernetesObject): unknown =>
  recordAt(object, 'spec', 'updateStrategy');

const partitionOf = (object: KubernetesObject): unknown =>
  recordAt(object, 'spec', 'updateStrategy', 'rollingUpdate')['partition'];

describe('a pause of a StatefulSet', () => {
  test('keeps every pod that has not been replaced yet', () => {
    const paused = decided(statefulSet(), true);
    expect(partitionOf(paused)).toBe(3);
    expect(isHeldStill(paused)).toBe(true);
    expect(decided(paused, false)).toEqual(statefulSet());
  });

  test('keeps all of them while the status still speaks of the version before', () => {
    const status = { observedGeneration: 1, updatedReplicas: 4 };
    expect(partitionOf(decided(statefulSet({ status }), true))).toBe(4);
  });

  test('never goes below the partition of the manifests, and gives it back', () => {
    const strategy = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } };
    const live = statefulSet({ strategy, status: { updatedReplicas: 3 } });
    const paused = decided(live, true);
    expect(partitionOf(paused)).toBe(2);
    expect(decided(paused, false)).toEqual(live);
  });

  test('leaves no field behind where there was none', () => {
    const live = statefulSet({ strategy: { type: 'RollingUpdate' } });
    expect(partitionOf(decided(live, true))).toBe(3);
    expect(decided(decided(live, true), false)).toEqual(live);
  });

  test('keeps what someone else changed meanwhile', () => {
    const paused = decided(statefulSet(), true);
    recordAt(paused, 'spec', 'updateStrategy', 'rollingUpdate')['maxUnavailable'] = 2;
    expect(strategyOf(decided(paused, false))).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { partition: 0, maxUnavailable: 2 },
    });
  });
});

test('a pause of a DaemonSet stops Kubernetes from replacing pods, and is taken back', () => {
  const paused = decided(daemonSet, true);
  expect(strategyOf(paused)).toEqual({ type: 'OnDelete', rollingUpdate: { maxUnavailable: 1 } });
  expect(decidePause(paused, { paused: true, epoch: 3 })).toEqual({ act: 'nothing' });
  expect(decided(paused, false)).toEqual(daemonSet);
});

test('a strategy that someone else made OnDelete is no pause of ours', () => {
  const live = { ...daemonSet, spec: { updateStrategy: { type: 'OnDelete' } } };
  expect(isHeldStill(live)).toBe(false);
  expect(decidePause(live, { paused: false, epoch: 3 })).toEqual({ act: 'nothing' });
});
