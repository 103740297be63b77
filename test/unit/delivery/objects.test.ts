import { describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import {
  fingerprintText,
  ignoredTable,
  normalised,
  withLiveBookkeeping,
} from '../../../domain/delivery/normalised-object.ts';
import { ownerElsewhere } from '../../../domain/delivery/object-owner.ts';
import { proveObject, type ProofSides } from '../../../domain/delivery/object-proof.ts';
import { oneWayChanges, rehearseInverse } from '../../../domain/delivery/one-way-fields.ts';
import { isExact } from '../../../domain/delivery/proof.ts';
import { shownFields, type PlanEntry } from '../../../domain/delivery/release-plan.ts';
import { isSpent } from '../../../domain/delivery/spent-objects.ts';

const banner = (text: string, metadata: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'shop-banner', uid: 'uid-1', ...metadata },
  data: { text },
});

describe('a comparison', () => {
  test('leaves out what the table says, and nothing else', () => {
    const quiet = banner('hello', { labels: { app: 'shop' }, annotations: { note: 'kept' } });
    const busy = {
      ...banner('hello', {
        labels: { app: 'shop' },
        resourceVersion: '9',
        generation: 4,
        managedFields: [{ manager: 'x' }],
        annotations: {
          note: 'kept',
          'holdfast.dev/fence': '4',
          'holdfast.dev/release': '2',
          'deployment.kubernetes.io/revision': '3',
        },
      }),
      status: { anything: true },
    };
    expect(fingerprintText(busy)).toBe(fingerprintText(quiet));
    expect(fingerprintText(banner('other'))).not.toBe(fingerprintText(banner('hello')));
    expect(ignoredTable.every(({ path, reason }) => path !== '' && reason !== '')).toBe(true);
  });

  test('tells a new object of the same name from the old one, unless it was created again', () => {
    const again = banner('hello', { uid: 'uid-2', creationTimestamp: 'later' });
    expect(fingerprintText(again)).not.toBe(fingerprintText(banner('hello')));
    const scope = { recreated: true };
    expect(fingerprintText(again, scope)).toBe(fingerprintText(banner('hello'), scope));
  });

  test('leaves replicas out only where an autoscaler owns them', () => {
    const sized = (replicas: number): KubernetesObject => ({ ...banner(''), spec: { replicas } });
    expect(fingerprintText(sized(1))).not.toBe(fingerprintText(sized(2)));
    const scope = { autoscaledReplicas: true };
    expect(fingerprintText(sized(1), scope)).toBe(fingerprintText(sized(2), scope));
  });

  test('can be taken back: the left-out fields return from the live object', () => {
    const live = {
      ...banner('hello', {
        resourceVersion: '9',
        annotations: { 'holdfast.dev/fence': '4', note: 'x' },
      }),
      status: { anything: true },
    };
    expect(withLiveBookkeeping(normalised(live), live)).toEqual(live);
  });
});

const entry = (before: KubernetesObject | null, after: KubernetesObject): PlanEntry => ({
  step: 'patch ConfigMap/shop-banner',
  object: { apiVersion: 'v1', kind: 'ConfigMap', name: 'shop-banner' },
  action: before === null ? 'create' : 'patch',
  before,
  after,
  body: null,
  replicas: 0,
  autoscaledBefore: false,
  autoscaledAfter: false,
});

describe('a proof', () => {
  const prove = (direction: 'forward' | 'back', sides: Partial<ProofSides>) => {
    const old = banner('old');
    const entryOf = { entry: entry(old, banner('new')), between: [] };
    const all = { ...entryOf, preImage: old, live: old, ...sides };
    const { verdict, fields } = proveObject(direction, all, (text) => text);
    return { verdict, fields };
  };

  test.each([
    ['exact', { live: banner('old') }, []],
    ['differs', { live: banner('new') }, ['/data/text']],
    ['foreign-change-preserved', { live: banner('third') }, ['/data/text']],
    ['missing', { live: undefined }, []],
    ['recreated', { live: banner('old', { uid: 'uid-2' }) }, ['/metadata/uid']],
    ['replica-set-replaced', { live: banner('old'), replicaSet: { before: 'a', now: 'b' } }, []],
    ['leftover', { preImage: undefined, live: banner('new') }, []],
    ['exact', { preImage: undefined, live: undefined }, []],
  ] as const)('of the way back says %s', (verdict, sides, fields) => {
    expect(prove('back', sides)).toEqual({ verdict, fields });
  });

  test.each([
    ['exact', { live: banner('new') }, []],
    ['differs', { live: banner('old') }, ['/data/text']],
    ['missing', { live: undefined }, []],
    [
      'foreign-change-preserved',
      { live: banner('new', { labels: { team: 'blue' } }) },
      ['/metadata/labels'],
    ],
  ] as const)('of the way forward says %s', (verdict, sides, fields) => {
    expect(prove('forward', sides)).toEqual({ verdict, fields });
  });

  test('is exact only if every single verdict is', () => {
    const row = proveObject(
      'back',
      {
        entry: entry(banner('a'), banner('b')),
        between: [],
        preImage: banner('a'),
        live: banner('a'),
      },
      (text) => text,
    );
    const proof = { direction: 'back' as const, ignored: ignoredTable };
    expect(isExact({ ...proof, rows: [row, row] })).toBe(true);
    expect(isExact({ ...proof, rows: [row, { ...row, verdict: 'recreated' }] })).toBe(false);
  });
});

describe('the owner of an object', () => {
  const owned = (metadata: object): string | undefined => ownerElsewhere(banner('', metadata));

  test.each([
    ['Helm release shop', { annotations: { 'meta.helm.sh/release-name': 'shop' } }],
    ['Helm', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }],
    ['Argo CD application shop', { labels: { 'argocd.argoproj.io/instance': 'shop' } }],
    [
      'Argo CD application shop',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:ns/shop' } },
    ],
    ['Flux Kustomization shop', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'shop' } }],
    ['Flux HelmRelease shop', { labels: { 'helm.toolkit.fluxcd.io/name': 'shop' } }],
    [
      'the controller of Shop/main',
      { ownerReferences: [{ kind: 'Shop', name: 'main', controller: true }] },
    ],
    [undefined, { labels: { 'app.kubernetes.io/managed-by': 'kustomize' } }],
    [undefined, { ownerReferences: [{ kind: 'Shop', name: 'main' }] }],
  ])('is %s', (owner, metadata) => {
    expect(owned(metadata)).toBe(owner);
  });
});

describe('a change that cannot be taken back', () => {
  test.each([
    ['ConfigMap', { immutable: true }, ['/immutable']],
    ['Secret', { immutable: true }, ['/immutable']],
    ['Service', { spec: { clusterIP: '10.0.0.2' } }, ['/spec/clusterIP']],
    ['ConfigMap', { data: { text: 'new' } }, []],
  ])('of a %s is known beforehand', (kind, change, pointers) => {
    const before = { ...banner('old'), kind, spec: { clusterIP: '10.0.0.1' } };
    const found = oneWayChanges(before, { ...before, ...change });
    expect(found.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  test('any other one leads back exactly', () => {
    expect(rehearseInverse(banner('old'), banner('new', { labels: { a: 'b' } }), {})).toEqual([]);
  });
});

describe('a plan for the reader', () => {
  test('shows each changed field, short', () => {
    const long = 'x'.repeat(200);
    const [field] = shownFields(banner('old'), banner(long));
    expect(field).toMatchObject({ path: '/data/text', before: 'old' });
    expect(field?.after.length).toBeLessThanOrEqual(80);
  });

  test('shows nothing of a Secret', () => {
    const secret = (text: string): KubernetesObject => ({ ...banner(text), kind: 'Secret' });
    expect(shownFields(secret('hidden-1'), secret('hidden-2'))).toEqual([
      { path: '/data/text', before: '(secret)', after: '(secret)' },
    ]);
  });

  test('stays small, however much changes', () => {
    const data = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`key-${String(i)}`, 'x']),
    );
    const fields = shownFields(banner('old'), { ...banner('old'), data });
    expect(fields.length).toBeLessThan(100);
    expect(fields.at(-1)?.after).toBe('441 more fields');
  });
});

describe('sweeping up', () => {
  const scope = {
    epoch: 5,
    keepReleases: ['2'],
    unwoundReleases: ['bad'],
    isReferenced: () => false,
  };
  const made = (name: string, createdBy: string, ...[release = createdBy, fence = '3']: string[]) =>
    banner('', {
      name,
      annotations: {
        'holdfast.dev/created-by': createdBy,
        'holdfast.dev/release': release,
        'holdfast.dev/fence': fence,
      },
    });
  const hashed = 'shop-0123456789';

  test.each([
    ['what an unwound release left', made('shop', 'bad'), {}, true],
    ['what a later release has written since', made('shop', 'bad', '2'), {}, false],
    ['what carries a newer fence', made('shop', 'bad', 'bad', '6'), {}, false],
    ['old config by content', made(hashed, '1'), {}, true],
    ['config of a kept release', made(hashed, '2'), {}, false],
    ['config that something refers to', made(hashed, 'bad'), { isReferenced: () => true }, false],
    ['config that lives under its own name', made('shop', '1'), {}, false],
    ['what no release created', banner(''), {}, false],
  ])('%s', (...row) => {
    const [, object, over, spent] = row;
    expect(isSpent(object, { ...scope, ...over })).toBe(spent);
  });
});
