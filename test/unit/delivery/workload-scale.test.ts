import { describe, expect, test } from '@jest/globals';
import { numberAt } from '../../../domain/delivery/canonical-json.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { proveObject } from '../../../domain/delivery/object-proof.ts';
import { decideRevert } from '../../../domain/delivery/object-reverts.ts';
import { decideWrite } from '../../../domain/delivery/object-writes.ts';
import type { PlanEntry } from '../../../domain/delivery/release-plan.ts';
import { decideScale } from '../../../domain/delivery/workload-scale.ts';

describe('scaling', () => {
  const authority = { environment: 'staging', service: 'shop', release: '2', epoch: 4 };
  const own = (replicas: number): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'shop-3f9a1c',
      annotations: {
        'holdfast.dev/fence': '4',
        'holdfast.dev/created-by': '2',
        'holdfast.dev/service': 'staging/shop',
      },
    },
    spec: { replicas },
  });

  test.each([
    { title: 'raises', now: 1, autoscaled: false, act: 'patch' },
    { title: 'lowers', now: 4, autoscaled: false, act: 'patch' },
    { title: 'finds it done', now: 3, autoscaled: false, act: 'nothing' },
    { title: 'raises under an autoscaler', now: 1, autoscaled: true, act: 'patch' },
    { title: 'never lowers under an autoscaler', now: 4, autoscaled: true, act: 'nothing' },
  ])('$title', ({ now, autoscaled, act }) => {
    expect(decideScale(own(now), { replicas: 3, autoscaled }, authority)).toMatchObject({ act });
  });

  test('is refused for what the release did not create, and under an old epoch', () => {
    const wanted = { replicas: 3, autoscaled: false };
    const other = { ...authority, release: '3' };
    expect(decideScale(own(1), wanted, other)).toMatchObject({ code: 'FOREIGN_CHANGE' });
    expect(decideScale(own(1), wanted, { ...authority, epoch: 3 })).toMatchObject({
      code: 'FENCED',
    });
  });
});

describe("raising the user's own workload that is to carry the traffic again", () => {
  const authority = { environment: 'staging', service: 'shop', release: '2', epoch: 5 };
  const live = (replicas: number, release = '1'): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop', uid: 'uid-1', annotations: { 'holdfast.dev/release': release } },
    spec: { replicas },
  });
  const replicasAfter = (
    object: KubernetesObject,
    wanted: { replicas: number; autoscaled?: boolean },
  ): number | string => {
    const most = wanted.autoscaled === true ? {} : { most: { before: 3, after: 6 } };
    const asked = { replicas: wanted.replicas, autoscaled: false };
    const decision = decideScale(
      object,
      { ...asked, updated: { uid: 'uid-1', ...most } },
      authority,
    );
    if (decision.act === 'refuse') return decision.code;
    return decision.act === 'nothing'
      ? 'nothing'
      : (numberAt(decision.target, 'spec', 'replicas') ?? 0);
  };

  test('gives it what it had before, or has once it is updated, and no more', () => {
    expect(replicasAfter(live(1), { replicas: 3 })).toBe(3);
    expect(replicasAfter(live(1), { replicas: 9 })).toBe(3);
    expect(replicasAfter(live(1, '2'), { replicas: 9 })).toBe(6);
  });

  test('gives it all that the traffic needs where an autoscaler owns the number', () => {
    expect(replicasAfter(live(3), { replicas: 9, autoscaled: true })).toBe(9);
  });

  test('takes no pod away, and leaves another object of its name alone', () => {
    expect(replicasAfter(live(3), { replicas: 1 })).toBe('nothing');
    expect(replicasAfter(live(5), { replicas: 9 })).toBe('nothing');
    const other = { ...live(1), metadata: { name: 'shop', uid: 'uid-2' } };
    expect(replicasAfter(other, { replicas: 3 })).toBe('FOREIGN_CHANGE');
  });
});

describe("scaling the user's own workload for a share", () => {
  const authority = { environment: 'staging', service: 'shop', release: '2', epoch: 4 };
  const back = { ...authority, epoch: 5 };
  const shared = { epoch: 4, replicas: 3, uid: 'uid-1' };
  const live = (replicas: number, marks: Record<string, string> = {}): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop', uid: 'uid-1', annotations: { 'holdfast.dev/fence': '2', ...marks } },
    spec: { replicas },
  });
  const given = (number: number) => ({
    'holdfast.dev/fence': '4',
    'holdfast.dev/scaled': `4.${String(number)}`,
  });
  const to = (replicas: number) => ({ replicas, autoscaled: false, shared });
  const outcome = (decision: ReturnType<typeof decideScale>): unknown =>
    decision.act === 'patch'
      ? [
          numberAt(decision.target, 'spec', 'replicas'),
          decision.target.metadata.annotations,
          decision.changes,
        ]
      : decision;

  test('is written with a mark, and once however often it is tried', () => {
    expect(outcome(decideScale(live(3), to(2), authority))).toEqual([2, given(2), true]);
    expect(decideScale(live(2, given(2)), to(2), authority)).toEqual({ act: 'nothing' });
    expect(outcome(decideScale(live(2, given(2)), to(0), authority))).toEqual([0, given(0), true]);
  });

  test('is refused where someone else scaled or replaced it, and once it is updated', () => {
    const reasonOf = (object: KubernetesObject) => decideScale(object, to(1), authority);
    expect(reasonOf(live(7))).toMatchObject({ reason: 'someone else gave it 7 pods' });
    expect(reasonOf(live(7, given(2)))).toMatchObject({ code: 'FOREIGN_CHANGE' });
    const other = { ...live(3), metadata: { name: 'shop', uid: 'uid-2' } };
    expect(reasonOf(other)).toMatchObject({ reason: 'someone else replaced it' });
    const updated = live(3, { 'holdfast.dev/fence': '4' });
    expect(reasonOf(updated)).toMatchObject({ reason: 'it is updated already' });
    expect(
      decideScale(live(2, { ...given(2), 'holdfast.dev/fence': '5' }), to(1), authority),
    ).toMatchObject({ code: 'FENCED' });
  });

  test('is given back without the mark; what someone else added is kept', () => {
    const fence = { 'holdfast.dev/fence': '5' };
    expect(outcome(decideScale(live(1, given(1)), to(3), back))).toEqual([3, fence, true]);
    expect(outcome(decideScale(live(7, given(1)), to(3), back))).toEqual([7, fence, false]);
    // Fewer pods than all the traffic needs would be felled by it.
    expect(outcome(decideScale(live(0, given(1)), to(3), back))).toEqual([3, fence, true]);
    expect(decideScale(live(3, fence), to(3), back)).toEqual({ act: 'nothing' });
  });

  const sides = { environment: 'staging', service: 'shop', release: '2' };
  const pods = (image: string) => ({ template: { spec: { image } } });
  const entry: PlanEntry = {
    step: 'patch Deployment/shop',
    object: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    action: 'patch',
    before: { ...live(3), spec: { replicas: 3, ...pods('1') } },
    after: { ...live(3), spec: { replicas: 6, ...pods('2') } },
    body: null,
    replicas: 6,
    autoscaledBefore: false,
    autoscaledAfter: false,
    shared: { epoch: 4, replicas: 3 },
  };
  const shrunk = { ...live(0, given(0)), spec: { replicas: 0, ...pods('1') } };

  test('the update gives it the pods of the manifests, whatever its share was', () => {
    const decision = decideWrite(entry, shrunk, authority);
    if (decision.act !== 'patch') throw new Error(decision.act);
    expect(decision.target['spec']).toEqual({ replicas: 6, ...pods('2') });
    expect(decision.target.metadata.annotations).not.toHaveProperty(['holdfast.dev/scaled']);
    const foreign = { ...shrunk, spec: { replicas: 5, ...pods('1') } };
    expect(decideWrite(entry, foreign, authority)).toMatchObject({ fields: ['/spec/replicas'] });
  });

  test('undoing the update gives it the pods it had before, also where it was never made', () => {
    const preImage = { ...live(3), spec: { replicas: 3, ...pods('1') } };
    const undone = decideRevert(entry, { live: shrunk, preImage }, { ...sides, epoch: 5 });
    if (undone.act !== 'patch') throw new Error(undone.act);
    expect(undone.target['spec']).toEqual(preImage['spec']);
    expect(undone.foreignFields).toEqual([]);
    expect(undone.target.metadata.annotations).toEqual({ 'holdfast.dev/fence': '5' });
  });

  test('pods that were not given back are ours, and no change of someone else', () => {
    const preImage = { ...live(3), spec: { replicas: 3, ...pods('1') } };
    const row = proveObject('back', { entry, between: [], preImage, live: shrunk }, (text) => text);
    expect(row.verdict).toBe('differs');
  });
});
