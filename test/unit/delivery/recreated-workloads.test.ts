import { describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { recreated, strategyProblems } from '../../../domain/delivery/recreated-workloads.ts';
import { plannedChanges, type PlanEntry } from '../../../domain/delivery/release-plan.ts';
import { setOnceChanges } from '../../../domain/delivery/set-once-fields.ts';

const workload = (kind: string, image: string, spec: object = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'shop', uid: 'uid-1' },
  spec: {
    replicas: 2,
    template: { metadata: { labels: { app: 'shop' } }, spec: { containers: [{ image }] } },
    ...spec,
  },
});

const entry = (kind: string, over: Partial<PlanEntry> = {}, spec: object = {}): PlanEntry => ({
  step: `patch ${kind}/shop`,
  object: { apiVersion: 'apps/v1', kind, name: 'shop' },
  action: 'patch',
  before: workload(kind, 'shop:1', spec),
  after: workload(kind, 'shop:2', spec),
  body: null,
  replicas: 2,
  autoscaledBefore: false,
  autoscaledAfter: false,
  ...over,
});

describe('recreating a workload', () => {
  test('stops it first, in a phase of its own, and starts it with the new version', () => {
    const { entries, warnings } = recreated([entry('Deployment')], 'plan-1');
    expect(plannedChanges(entries)).toMatchObject([
      {
        step: 'stop Deployment/shop',
        phase: 'stop',
        fields: [{ path: '/spec/replicas', before: '2', after: '0' }],
        rollout: { replicas: 0, services: [] },
      },
      {
        step: 'patch Deployment/shop',
        fields: expect.arrayContaining([{ path: '/spec/replicas', before: '0', after: '2' }]),
        rollout: { replicas: 2 },
      },
    ]);
    expect(entries.map(({ chain }) => chain?.link)).toEqual([1, 2]);
    expect(warnings).toEqual([expect.stringContaining('Deployment/shop is interrupted')]);
  });

  test('does not stop what has no pods, nor what keeps its version', () => {
    const none = entry('Deployment', {}, { replicas: 0 });
    expect(recreated([none], 'plan-1')).toEqual({ entries: [none], warnings: [] });
    const same = entry('Deployment', { after: workload('Deployment', 'shop:1', { replicas: 5 }) });
    expect(recreated([same], 'plan-1')).toEqual({ entries: [same], warnings: [] });
  });
});

describe('a strategy that does not fit', () => {
  const keepsNothing = { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete' } };

  test.each([
    ['canary', entry('StatefulSet'), 'there cannot be a second set'],
    ['blue-green', entry('DaemonSet'), 'there cannot be a second set'],
    ['recreate', entry('DaemonSet'), 'no number of replicas'],
    ['recreate', entry('StatefulSet', {}, keepsNothing), 'whenScaled'],
  ] as const)('%s is refused with the object and the reason', (type, changed, reason) => {
    expect(strategyProblems(type, [changed])).toEqual([
      {
        code: 'INVALID_INPUT',
        subject: `${changed.object.kind}/shop`,
        message: expect.stringContaining(reason),
      },
    ]);
  });

  test.each([
    ['rolling', entry('DaemonSet')],
    ['recreate', entry('StatefulSet')],
    ['canary', entry('Deployment')],
  ] as const)('%s is not', (type, changed) => {
    expect(strategyProblems(type, [changed])).toEqual([]);
  });
});

describe('fields that are set once', () => {
  const claims = [{ metadata: { name: 'data' }, spec: { resources: '10Gi' } }];
  const live = workload('StatefulSet', 'shop:1', {
    serviceName: 'shop',
    volumeClaimTemplates: [
      { ...claims[0], spec: { resources: '10Gi', volumeMode: 'Filesystem' }, status: {} },
    ],
  });

  test('may be said again, or not at all', () => {
    const again = { serviceName: 'shop', volumeClaimTemplates: claims };
    expect(setOnceChanges(live, workload('StatefulSet', 'shop:2', again))).toEqual([]);
    expect(setOnceChanges(live, workload('StatefulSet', 'shop:2'))).toEqual([]);
  });

  test('are named where they change', () => {
    const larger = [{ metadata: { name: 'data' }, spec: { resources: '20Gi' } }];
    const changed = { serviceName: 'store', volumeClaimTemplates: larger };
    expect(setOnceChanges(live, workload('StatefulSet', 'shop:2', changed))).toEqual([
      '/spec/volumeClaimTemplates',
      '/spec/serviceName',
    ]);
  });
});
