import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { guardedPatch } from '../../../domain/delivery/guarded-patch.ts';
import { applyPatch, PatchRefused } from '../../../domain/delivery/json-patch.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { fingerprintText, normalised } from '../../../domain/delivery/normalised-object.ts';
import { annotationOf, fenceOf, withAnnotations } from '../../../domain/delivery/object-fence.ts';
import { provenChanges, proveObject } from '../../../domain/delivery/object-proof.ts';
import { decideRevert } from '../../../domain/delivery/object-reverts.ts';
import { decideWrite } from '../../../domain/delivery/object-writes.ts';
import type { ChainLink, PlanEntry } from '../../../domain/delivery/release-plan.ts';
import { randomObject } from './random-objects.ts';

const forward = { environment: 'staging', service: 'shop', release: '2', epoch: 4 };
const backward = { ...forward, epoch: 5 };

interface States {
  before: KubernetesObject;
  between: KubernetesObject;
  end: KubernetesObject;
}

const links = ({ before, between, end }: States, last: Partial<ChainLink> = {}): PlanEntry[] =>
  [
    { before, after: between, chain: { plan: '3f9a1c.4', link: 1 } },
    { before: between, after: end, chain: { plan: '3f9a1c.4', link: 2, ...last } },
  ].map((sides) => ({
    step: `write ${String(sides.chain.link)}`,
    object: { apiVersion: 'v1', kind: 'ConfigMap', name: 'shop' },
    action: 'patch',
    body: null,
    replicas: 0,
    autoscaledBefore: false,
    autoscaledAfter: false,
    ...sides,
    before: normalised(sides.before),
    after: normalised(sides.after),
  }));

/** The object after an attempt to write, and whether it did anything. */
const written = (entry: PlanEntry, live: KubernetesObject, authority = forward) => {
  const decision = decideWrite(entry, live, authority);
  return decision.act === 'patch' ? applyPatch(live, guardedPatch(live, decision.target)) : live;
};

const reverted = (entry: PlanEntry, live: KubernetesObject, preImage: KubernetesObject) => {
  const decision = decideRevert(entry, { live, preImage }, backward);
  return decision.act === 'patch' ? applyPatch(live, guardedPatch(live, decision.target)) : live;
};

const isSame = (left: KubernetesObject, right: KubernetesObject): boolean =>
  fingerprintText(left) === fingerprintText(right);

const unlabelled = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'shop', uid: 'uid-1', resourceVersion: '7' },
};
const unchanged = { ...unlabelled, metadata: { ...unlabelled.metadata, labels: {} } };

/** Random states; the last is often the first again, as of a Service that nothing else changes. */
const states = fc
  .tuple(randomObject, randomObject, randomObject, fc.boolean())
  .map(([before, between, end, returns]): States => ({
    before,
    between,
    end: returns ? before : end,
  }));

describe('an object that one plan writes twice', () => {
  test('goes through both states and back through them, from however far it came', () => {
    fc.assert(
      fc.property(states, fc.integer({ min: 0, max: 2 }), (all, made) => {
        const entries = links(all);
        const { before, between, end } = all;
        let live = before;
        for (const entry of entries.slice(0, made)) live = written(entry, live);
        expect(isSame(live, [before, between, end][made] ?? before)).toBe(true);
        const [first, second] = entries;
        if (first === undefined || second === undefined) throw new Error('no links');
        live = reverted(second, live, before);
        expect(isSame(live, made === 0 ? before : between)).toBe(true);
        live = reverted(first, live, before);
        expect(isSame(live, before)).toBe(true);
        expect(fenceOf(live)).toBe(5);
        expect(annotationOf(live, 'link')).toBeUndefined();
      }),
      // The first write changed nothing but who holds the object, and the second was never made.
      { examples: [[{ before: unchanged, between: unchanged, end: unlabelled }, 1]] },
    );
  });

  test('is not touched by an attempt that comes late, in either direction', () => {
    fc.assert(
      fc.property(states, (all) => {
        const [first, second] = links(all);
        if (first === undefined || second === undefined) throw new Error('no links');
        const there = written(second, written(first, all.before));
        expect(written(first, there)).toEqual(there);
        expect(written(second, there)).toEqual(there);
        const back = reverted(first, reverted(second, there, all.before), all.before);
        expect(reverted(second, back, all.before)).toEqual(back);
        expect(reverted(first, back, all.before)).toEqual(back);
        expect(decideWrite(first, back, forward)).toMatchObject({ code: 'FENCED' });
      }),
    );
  });

  test('a write whose patch was on its way when the other one came is refused by its guards', () => {
    fc.assert(
      fc.property(states, (all) => {
        fc.pre(!isSame(all.before, all.between));
        const [first, second] = links(all);
        if (first === undefined || second === undefined) throw new Error('no links');
        const decision = decideWrite(first, all.before, forward);
        if (decision.act !== 'patch') throw new Error('nothing to write');
        const late = guardedPatch(all.before, decision.target);
        const there = written(second, written(first, all.before));
        expect(() => applyPatch(there, late)).toThrow(PatchRefused);
      }),
    );
  });

  test('is told from an earlier plan of the same release by its epoch', () => {
    fc.assert(
      fc.property(states, (all) => {
        const [first, second] = links(all);
        if (first === undefined || second === undefined) throw new Error('no links');
        const earlier = withAnnotations(all.before, {
          fence: '2',
          link: '3f9a1c.2.2',
          release: '2',
        });
        expect(isSame(reverted(second, earlier, earlier), earlier)).toBe(true);
        expect(isSame(written(first, earlier), all.between)).toBe(true);
      }),
    );
  });

  test('stays as it is where the state between leads to something that is gone', () => {
    fc.assert(
      fc.property(states, (all) => {
        const [first, second] = links(all);
        if (first === undefined || second === undefined) throw new Error('no links');
        const there = written(second, written(first, all.before));
        const sides = { live: there, preImage: all.before, isOrphaned: true };
        const decision = decideRevert(second, sides, backward);
        if (decision.act !== 'patch') throw new Error('the fence was not raised');
        const kept = applyPatch(there, guardedPatch(there, decision.target));
        expect(decision.outcome).toBe('nothing-to-undo');
        expect(isSame(kept, there)).toBe(true);
        expect(fenceOf(kept)).toBe(5);
      }),
    );
  });

  test('is held while it is borrowed and by nobody afterwards', () => {
    fc.assert(
      fc.property(states, (all) => {
        const [first, second] = links(all, { givesBack: true });
        if (first === undefined || second === undefined) throw new Error('no links');
        const lent = written(first, all.before);
        expect(annotationOf(lent, 'service')).toBe('staging/shop');
        const given = written(second, lent);
        expect(annotationOf(given, 'service')).toBeUndefined();
        expect(fenceOf(given)).toBe(4);
        expect(written(second, given)).toEqual(given);
      }),
    );
  });

  test.each(['forward', 'back'] as const)(
    'left in between is never taken for an edit of someone else, %s',
    (direction) => {
      fc.assert(
        fc.property(states, (all) => {
          fc.pre(!isSame(all.between, direction === 'forward' ? all.end : all.before));
          const entries = links(all);
          const [change] = provenChanges(entries, direction);
          const [first] = entries;
          if (change === undefined || first === undefined) throw new Error('no change');
          const live = written(first, all.before);
          const sides = { ...change, preImage: all.before, live };
          expect(proveObject(direction, sides, (text) => text).verdict).toBe('differs');
        }),
      );
    },
  );
});
