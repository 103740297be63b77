import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from '../../../domain/delivery/canonical-json.ts';
import { guardedPatch } from '../../../domain/delivery/guarded-patch.ts';
import { applyPatch, PatchRefused } from '../../../domain/delivery/json-patch.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { fingerprintText, normalised } from '../../../domain/delivery/normalised-object.ts';
import { annotationOf, fenceOf } from '../../../domain/delivery/object-fence.ts';
import { decideRevert } from '../../../domain/delivery/object-reverts.ts';
import { decideWrite, staleFields } from '../../../domain/delivery/object-writes.ts';
import type { PlanEntry } from '../../../domain/delivery/release-plan.ts';
import { decidePause } from '../../../domain/delivery/rollout-pause.ts';
import { randomObject } from './random-objects.ts';

const forward = { environment: 'staging', service: 'shop', release: '2', epoch: 4 };
const backward = { ...forward, epoch: 5 };

const patchEntry = (before: KubernetesObject, after: KubernetesObject): PlanEntry => ({
  step: 'patch ConfigMap/shop',
  object: { apiVersion: 'v1', kind: 'ConfigMap', name: 'shop' },
  action: 'patch',
  before: normalised(before),
  after: normalised(after),
  body: null,
  replicas: 0,
  autoscaledBefore: false,
  autoscaledAfter: false,
});

/** The object after the decided write, patched as the API server would. */
const written = (entry: PlanEntry, live: KubernetesObject): KubernetesObject => {
  const decision = decideWrite(entry, live, forward);
  if (decision.act !== 'patch') throw new Error(`no patch but ${JSON.stringify(decision)}`);
  return applyPatch(live, guardedPatch(live, decision.target));
};

const reverted = (
  entry: PlanEntry,
  sides: { live: KubernetesObject; preImage: KubernetesObject },
) => {
  const decision = decideRevert(entry, sides, backward);
  if (decision.act !== 'patch') throw new Error(`no patch but ${JSON.stringify(decision)}`);
  return applyPatch(sides.live, guardedPatch(sides.live, decision.target));
};

describe('one change of a plan', () => {
  test('goes there and back exactly, and only the fence remembers', () => {
    fc.assert(
      fc.property(randomObject, randomObject, (before, after) => {
        const entry = patchEntry(before, after);
        const there = written(entry, before);
        expect(fingerprintText(there)).toBe(fingerprintText(after));
        const back = reverted(entry, { live: there, preImage: before });
        expect(fingerprintText(back)).toBe(fingerprintText(before));
        expect(fenceOf(back)).toBe(5);
        expect(annotationOf(back, 'service')).toBeUndefined();
      }),
    );
  });

  test('is found when it was carried out already, there and back', () => {
    fc.assert(
      fc.property(randomObject, randomObject, (before, after) => {
        const entry = patchEntry(before, after);
        const there = written(entry, before);
        expect(decideWrite(entry, there, forward)).toEqual({
          act: 'done',
          outcome: 'already-written',
        });
        const back = reverted(entry, { live: there, preImage: before });
        const again = decideRevert(entry, { live: back, preImage: before }, backward);
        expect(again.act).toBe('done');
      }),
    );
  });

  test('is refused once the way back has begun, also when it was on its way before', () => {
    fc.assert(
      fc.property(randomObject, randomObject, (before, after) => {
        const entry = patchEntry(before, after);
        const late = decideWrite(entry, before, forward);
        if (late.act !== 'patch') throw new Error('nothing to be late with');
        const fenced = reverted(entry, { live: before, preImage: before });
        expect(decideWrite(entry, fenced, forward)).toMatchObject({
          act: 'refuse',
          code: 'FENCED',
        });
        const delayed = guardedPatch(before, late.target);
        expect(() => applyPatch(fenced, delayed)).toThrow(PatchRefused);
      }),
    );
  });

  test('keeps what someone else edited in between, and still takes back its own', () => {
    fc.assert(
      fc.property(randomObject, randomObject, fc.string(), (before, after, text) => {
        const entry = patchEntry(before, after);
        const edited = { ...written(entry, before), foreign: text };
        const back = reverted(entry, { live: edited, preImage: before });
        const expected = { ...before, foreign: text };
        expect(canonicalJson(normalised(back))).toBe(canonicalJson(normalised(expected)));
      }),
    );
  });

  test('is stale exactly when the object is no longer what the plan was made from', () => {
    fc.assert(
      fc.property(randomObject, randomObject, (before, other) => {
        const entry = patchEntry(before, before);
        const same = fingerprintText(before) === fingerprintText(other);
        expect(staleFields(entry, other).length === 0).toBe(same);
      }),
    );
  });
});

describe('creating', () => {
  const body: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shop' },
  };
  const entry: PlanEntry = { ...patchEntry(body, body), action: 'create', before: null, body };
  const created = (): KubernetesObject => {
    const decision = decideWrite(entry, undefined, forward);
    if (decision.act !== 'create') throw new Error('not created');
    return decision.body;
  };

  test('is found when it was done already, and never adopts what appeared meanwhile', () => {
    expect(decideWrite(entry, created(), forward)).toMatchObject({ outcome: 'already-written' });
    expect(decideWrite(entry, body, forward)).toMatchObject({ code: 'FOREIGN_CHANGE' });
  });

  test('is undone only where this release created the object', () => {
    const undo = (live: KubernetesObject | undefined) =>
      decideRevert(entry, { live, preImage: undefined }, backward);
    expect(undo(created())).toEqual({ act: 'delete' });
    expect(undo(undefined)).toMatchObject({ outcome: 'nothing-to-undo' });
    expect(undo(body)).toMatchObject({ act: 'done', outcome: 'foreign-change-preserved' });
  });
});

describe('pausing', () => {
  const live = (spec: object, marks: Record<string, string> = {}): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop', annotations: { 'holdfast.dev/fence': '4', ...marks } },
    spec,
  });
  const ours = { 'holdfast.dev/paused': '4' };

  test.each([
    ['a running rollout', live({}), true, 'patch'],
    ['one that we paused', live({ paused: true }, ours), true, 'nothing'],
    ['one that someone else paused', live({ paused: true }), true, 'nothing'],
  ])('%s', (...row) => {
    const [, object, paused, act] = row;
    expect(decidePause(object, { paused, epoch: 4 }).act).toBe(act);
  });

  test('is lifted only where it is ours, and refused to an attempt that is fenced', () => {
    expect(decidePause(live({ paused: true }, ours), { paused: false, epoch: 4 }).act).toBe(
      'patch',
    );
    expect(decidePause(live({ paused: true }), { paused: false, epoch: 4 }).act).toBe('nothing');
    expect(decidePause(live({}), { paused: true, epoch: 3 }).act).toBe('refuse');
  });
});
