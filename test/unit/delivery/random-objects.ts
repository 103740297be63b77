import fc from 'fast-check';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';

const word = fc.constantFrom('a', 'b', 'c', 'd', 'x/y', 'm~n');
const text = fc.constantFrom('', 'one', 'two', '3', 'vier');

const scalar = fc.oneof(text, fc.integer({ min: 0, max: 9 }), fc.boolean());

const named = fc
  .uniqueArray(fc.constantFrom('app', 'proxy', 'init', 'log'), { maxLength: 4 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) => fc.record({ name: fc.constant(name), image: text, level: scalar })),
    ),
  );

const port = fc.record({ containerPort: fc.integer({ min: 1, max: 4 }), name: text });

/** A value with maps, lists of scalars, lists of named things and lists without names. */
const tree: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(scalar, { maxLength: 3 }),
    fc.record({ containers: named }),
    fc.record({ ports: fc.array(port, { maxLength: 3 }) }),
    fc.dictionary(word, tie('value'), { maxKeys: 4 }),
  ),
})).value;

const metadata = fc.record(
  {
    labels: fc.dictionary(word, text, { maxKeys: 3 }),
    annotations: fc.dictionary(word, text, { maxKeys: 3 }),
  },
  { requiredKeys: [] },
);

/** Objects that differ in everything except who they are. */
export const randomObject: fc.Arbitrary<KubernetesObject> = fc
  .tuple(metadata, fc.dictionary(word, tree, { maxKeys: 4 }))
  .map(([extra, spec]) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shop', uid: 'uid-1', resourceVersion: '7', ...extra },
    spec,
  }));
