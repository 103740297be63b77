import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, copyJson } from '../../../domain/delivery/canonical-json.ts';
import { guardedPatch } from '../../../domain/delivery/guarded-patch.ts';
import { applyPatch, PatchRefused } from '../../../domain/delivery/json-patch.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { diffValues } from '../../../domain/delivery/object-diff.ts';
import { randomObject } from './random-objects.ts';

const deployment = (containers: unknown[], annotations?: Record<string, string>) =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'shop',
      uid: 'uid-1',
      resourceVersion: '7',
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: { template: { spec: { containers } } },
  }) satisfies KubernetesObject;

describe('a guarded patch', () => {
  test('leads from any object to any other', () => {
    fc.assert(
      fc.property(randomObject, randomObject, (live, target) => {
        expect(canonicalJson(applyPatch(live, guardedPatch(live, target)))).toBe(
          canonicalJson(target),
        );
      }),
    );
  });

  test('and back again: the inverse of a patch restores the object', () => {
    fc.assert(
      fc.property(randomObject, randomObject, (live, target) => {
        const there = applyPatch(live, guardedPatch(live, target));
        const back = applyPatch(there, guardedPatch(there, live));
        expect(canonicalJson(back)).toBe(canonicalJson(live));
      }),
    );
  });

  test('is empty exactly when nothing differs', () => {
    fc.assert(
      fc.property(randomObject, randomObject, (live, target) => {
        const same = canonicalJson(live) === canonicalJson(target);
        expect(guardedPatch(live, target).length === 0).toBe(same);
      }),
    );
  });

  test('never applies to an object in which a changed field has another value', () => {
    fc.assert(
      fc.property(randomObject, randomObject, randomObject, (live, target, other) => {
        const touched = diffValues(live, target).map(({ path }) => path);
        const differs = diffValues(live, other).some(({ path }) =>
          touched.some((own) => canonicalJson(own) === canonicalJson(path)),
        );
        fc.pre(differs);
        expect(() => applyPatch(other, guardedPatch(live, target))).toThrow(PatchRefused);
      }),
    );
  });

  test('tests uid and fence, and the old value of what it changes', () => {
    const live = deployment([{ name: 'app', image: 'shop:1' }], { 'holdfast.dev/fence': '4' });
    const target = deployment([{ name: 'app', image: 'shop:2' }], { 'holdfast.dev/fence': '5' });
    const image = '/spec/template/spec/containers/0/image';
    const fence = '/metadata/annotations/holdfast.dev~1fence';
    expect(guardedPatch(live, target)).toEqual([
      { op: 'test', path: '/metadata/uid', value: 'uid-1' },
      { op: 'test', path: fence, value: '4' },
      { op: 'test', path: '/spec/template/spec/containers/0/name', value: 'app' },
      { op: 'test', path: image, value: 'shop:1' },
      { op: 'replace', path: fence, value: '5' },
      { op: 'replace', path: image, value: 'shop:2' },
    ]);
  });

  test('tests that there are no annotations where it brings the first ones', () => {
    const live = deployment([]);
    const target = deployment([], { 'holdfast.dev/fence': '1' });
    expect(guardedPatch(live, target)).toContainEqual({
      op: 'test',
      path: '/metadata/annotations',
      value: null,
    });
  });

  test('refuses a container that moved to another position', () => {
    const live = deployment([
      { name: 'app', image: 'shop:1' },
      { name: 'proxy', image: 'shop:1' },
    ]);
    const target = copyJson(live);
    (target.spec.template.spec.containers[0] as { image: string }).image = 'shop:2';
    const moved = deployment(live.spec.template.spec.containers.toReversed());
    expect(() => applyPatch(moved, guardedPatch(live, target))).toThrow(/containers\/0\/name/);
  });

  test('replaces a list of another length as a whole, and tests the version of the object', () => {
    const live = deployment([{ name: 'app' }]);
    const target = deployment([{ name: 'app' }, { name: 'proxy' }]);
    const operations = guardedPatch(live, target);
    expect(operations).toContainEqual({
      op: 'test',
      path: '/metadata/resourceVersion',
      value: '7',
    });
    expect(operations.at(-1)).toMatchObject({
      op: 'replace',
      path: '/spec/template/spec/containers',
    });
  });
});
