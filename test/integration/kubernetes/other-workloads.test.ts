import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { codedErrorOf } from '../../../activities/coded-failure.ts';
import { listAt, numberAt, recordAt, stringAt } from '../../../domain/delivery/canonical-json.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { isExact } from '../../../domain/delivery/proof.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import { createDriver, editSpec, indexOf } from '../../conformance/release-driver.ts';
import type { DrivenRelease } from '../../conformance/release-driver.ts';
import { levelOneSandbox } from './level-one.ts';
import { portsAs } from './limited-account.ts';
import { manifests, refOf, type Kind } from './other-workload-manifests.ts';
import { publishedRules } from './published-rules.ts';
import { openRealSite, type RealSite } from './real-site.ts';

let sandbox: Sandbox;
let site: RealSite;
let driver: ReturnType<typeof createDriver>;
const sites: RealSite[] = [];

beforeAll(async () => {
  sandbox = await levelOneSandbox();
});

beforeEach(async () => {
  site = await openRealSite(sandbox);
  sites.push(site);
  driver = createDriver(site);
});

afterAll(async () => {
  await Promise.all(sites.map(async (open) => open.close()));
});

const deployed = async (kind: Kind): Promise<DrivenRelease> => {
  const first = await driver.prepare('1', 1, { objects: manifests(kind, '1') });
  await driver.forward(first);
  return first;
};

const next = async (kind: Kind, tag: string): Promise<DrivenRelease> => {
  const previous = await deployed(kind);
  return driver.prepare('2', 2, { objects: manifests(kind, tag), previous });
};

/** Tags of the images of all pods, by their names. */
const tags = async (): Promise<string[]> => {
  const list = await site.api.call({
    method: 'GET',
    path: `/api/v1/namespaces/${site.namespace}/pods`,
  });
  return (listAt(list, 'items') as KubernetesObject[])
    .toSorted((one, other) => one.metadata.name.localeCompare(other.metadata.name))
    .map((pod) => stringAt(listAt(pod, 'spec', 'containers')[0], 'image') ?? '')
    .map((image) => image.slice(image.lastIndexOf(':') + 1));
};

const revisions = async (): Promise<number> => {
  const path = `/apis/apps/v1/namespaces/${site.namespace}/controllerrevisions`;
  return listAt(await site.api.call({ method: 'GET', path }), 'items').length;
};

const expectExactlyAsBefore = async (release: DrivenRelease, kind: Kind): Promise<void> => {
  const retire = { ...release.step, epoch: 3, object: refOf(kind) };
  expect((await site.workloads.retire(retire)).deleted).toHaveLength(1);
  expect(await revisions()).toBe(1);
  const proof = await driver.proof(release, 'back');
  expect(proof.rows.map(({ verdict }) => verdict)).toEqual(proof.rows.map(() => 'exact'));
  expect(proof.rows.every((row) => row.hashBefore === row.hashAfter)).toBe(true);
  expect(new Set(await tags())).toEqual(new Set(['1']));
};

const writeWorkload = async (release: DrivenRelease, kind: Kind): Promise<number> => {
  const index = indexOf(release, `patch ${kind}/shop`);
  return (await site.releases.write({ ...release.step, index })).generation;
};

const kinds: Kind[] = ['StatefulSet', 'DaemonSet'];

describe.each(kinds)('a %s', (kind) => {
  test('is rolled out, and the pods behind its Service are the new ones', async () => {
    const second = await next(kind, '2');
    const before = await tags();
    await driver.forward(second);
    expect(await tags()).toEqual(before.map(() => '2'));
    expect(isExact(await driver.proof(second, 'forward'))).toBe(true);
    await driver.back(second);
    await expectExactlyAsBefore(second, kind);
  });

  test.each([
    ['crashes', 'bad', 'ROLLOUT_FAILED'],
    ['cannot be pulled', 'missing', 'IMAGE_UNAVAILABLE'],
  ])('whose new version %s goes back exactly, its broken pods included', async (_, tag, code) => {
    const second = await next(kind, tag);
    await expect(driver.forward(second)).rejects.toMatchObject({
      type: code,
      message: expect.stringContaining(`${kind}/shop`),
    });
    expect(await tags()).toContain(tag);
    const kept = await site.workloads.keepLogs({ ...second.step, object: refOf(kind) });
    expect(kept.lines).toBeGreaterThan(0);
    await driver.back(second);
    await expectExactlyAsBefore(second, kind);
  });

  test('whose new version never becomes ready ends at the deadline and goes back', async () => {
    const second = await next(kind, '3a');
    const generation = await writeWorkload(second, kind);
    const wait = { ...driver.target, object: refOf(kind), generation, stableMs: 0 };
    await expect(site.workloads.awaitRollout({ ...wait, deadlineMs: 1_500 })).rejects.toMatchObject(
      {
        type: 'ROLLOUT_DEADLINE',
        message: expect.stringContaining('ContainersNotReady'),
      },
    );
    await driver.back(second);
    await expectExactlyAsBefore(second, kind);
  });

  test('stands still in a pause, goes on after it, and ends as the plan says', async () => {
    const second = await next(kind, '2');
    const before = await tags();
    const generation = await writeWorkload(second, kind);
    const pause = { ...driver.target, object: refOf(kind), epoch: 2 };
    expect(await site.workloads.setPaused({ ...pause, paused: true })).toEqual({ changed: true });
    const wait = { ...driver.target, object: refOf(kind), generation, stableMs: 0 };
    const watch = site.workloads.awaitRollout({ ...wait, deadlineMs: 30_000 });
    const live = await site.get(refOf(kind));
    const partition = numberAt(live, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
    if (kind === 'StatefulSet') expect(partition).toBeGreaterThan(0);
    else expect(recordAt(live, 'spec', 'updateStrategy')['type']).toBe('OnDelete');
    expect(await site.workloads.setPaused({ ...pause, paused: false })).toEqual({ changed: true });
    expect((await watch).readyReplicas).toBe(before.length);
    expect(await tags()).toEqual(before.map(() => '2'));
    expect(isExact(await driver.proof(second, 'forward'))).toBe(true);
  });

  test('that is put back while it stands still is not left so', async () => {
    const second = await next(kind, '3a');
    await writeWorkload(second, kind);
    const pause = { ...driver.target, object: refOf(kind), epoch: 2 };
    await site.workloads.setPaused({ ...pause, paused: true });
    await driver.back(second);
    await expectExactlyAsBefore(second, kind);
  });

  test('that someone else changed meanwhile keeps that', async () => {
    const second = await next(kind, '2');
    await driver.forward(second);
    await site.edit(
      refOf(kind),
      editSpec((spec) => (spec['minReadySeconds'] = 1)),
    );
    await driver.back(second);
    const { rows } = await driver.proof(second, 'back');
    expect(rows.find(({ object }) => object.kind === kind)).toMatchObject({
      verdict: 'foreign-change-preserved',
      fields: ['/spec/minReadySeconds'],
    });
    expect(new Set(await tags())).toEqual(new Set(['1']));
  });

  test('of a first release is deleted with its pods', async () => {
    const first = await driver.prepare('1', 1, { objects: manifests(kind, '1') });
    await driver.forward(first);
    await driver.back(first);
    expect(isExact(await driver.proof(first, 'back'))).toBe(true);
    expect(await tags()).toEqual([]);
  });
});

test('a StatefulSet is recreated: no pod of the old version is there when the new one starts', async () => {
  const previous = await deployed('StatefulSet');
  const objects = manifests('StatefulSet', '2');
  const strategy = { type: 'recreate' } as const;
  const second = await driver.prepare('2', 2, { objects, previous, strategy });
  const [stop] = second.plan.changes;
  if (stop === undefined) throw new Error('the plan is empty');
  const { generation } = await site.releases.write({ ...second.step, index: stop.index });
  await driver.awaitChange(stop, generation);
  expect(await tags()).toEqual([]);
  await driver.forward(second);
  expect(await tags()).toEqual(['2', '2', '2']);
  await driver.back(second);
  await expectExactlyAsBefore(second, 'StatefulSet');
});

test('the ordinals below the partition of the manifests keep the old version', async () => {
  const previous = await deployed('StatefulSet');
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } };
  const objects = manifests('StatefulSet', '2', { updateStrategy });
  const second = await driver.prepare('2', 2, { objects, previous });
  await driver.forward(second);
  expect(await tags()).toEqual(['1', '1', '2']);
  await driver.back(second);
  await expectExactlyAsBefore(second, 'StatefulSet');
});

describe('what cannot be is refused before anything is touched', () => {
  const refusal = async (...args: Parameters<typeof driver.prepare>) =>
    driver.prepare(...args).then(() => undefined, codedErrorOf);

  test('another Service for the names of the pods', async () => {
    const previous = await deployed('StatefulSet');
    const objects = manifests('StatefulSet', '2', { serviceName: 'another' });
    const error = await refusal('2', 2, { objects, previous });
    expect(error).toMatchObject({ code: 'IMMUTABLE_CHANGE', subject: 'StatefulSet/shop' });
    expect(error?.message).toContain('/spec/serviceName');
  });

  test('pods that nobody replaces', async () => {
    const objects = manifests('DaemonSet', '1', { updateStrategy: { type: 'OnDelete' } });
    const error = await refusal('1', 1, { objects });
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID', subject: 'DaemonSet/shop' });
    expect(error?.message).toContain('/spec/updateStrategy/type');
  });

  test.each([
    ['StatefulSet', { type: 'blue-green', steps: [], retainMs: 0 }],
    ['DaemonSet', { type: 'canary', route: 'shop', steps: [{ weightPercent: 5, forMs: 0 }] }],
    ['DaemonSet', { type: 'recreate' }],
  ] as const)('a %s with a strategy that does not fit it', async (kind, strategy) => {
    const previous = await deployed(kind);
    const error = await refusal('2', 2, { objects: manifests(kind, '2'), previous, strategy });
    expect(error).toMatchObject({ code: 'INVALID_INPUT', subject: `${kind}/shop` });
    expect(error?.message).toContain(`type: ${strategy.type}`);
  });
});

describe('the rights that a worker is asked to have', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'holdfast-kinds-'));
  });

  afterAll(async () => rm(directory, { recursive: true, force: true }));

  test('suffice for a StatefulSet whose broken pods have to go', async () => {
    const account = { name: 'published', rules: await publishedRules(), directory };
    site = { ...site, ...(await portsAs(sandbox, site, account)) };
    driver = createDriver(site);
    const second = await next('StatefulSet', 'bad');
    await expect(driver.forward(second)).rejects.toMatchObject({ type: 'ROLLOUT_FAILED' });
    await driver.back(second);
    await expectExactlyAsBefore(second, 'StatefulSet');
  });

  test('are named where one of them is missing', async () => {
    const rules = (await publishedRules()).map((rule) => ({
      ...rule,
      verbs: rule.verbs.filter((verb) => verb !== 'delete' || !rule.resources.includes('pods')),
    }));
    const ports = await portsAs(sandbox, site, { name: 'no-pods', rules, directory });
    const limited = createDriver({ ...site, ...ports });
    const plan = limited.prepare('1', 1, { objects: manifests('StatefulSet', '1') });
    await expect(plan).rejects.toMatchObject({
      type: 'PERMISSION_MISSING',
      message: expect.stringContaining('delete pods'),
    });
  });
});
