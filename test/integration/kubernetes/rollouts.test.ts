import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { codedErrorOf } from '../../../activities/coded-failure.ts';
import type { CodedError } from '../../../contracts/errors.ts';
import { recordAt } from '../../../domain/delivery/canonical-json.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import { createDriver, editSpec, refs } from '../../conformance/release-driver.ts';
import { sampleService, type SampleOptions } from '../../conformance/sample-service.ts';
import { levelOneSandbox } from './level-one.ts';
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

const releaseError = async (options: SampleOptions): Promise<CodedError> => {
  const release = await driver.prepare('1', 1, options);
  try {
    await driver.forward(release);
  } catch (error) {
    return codedErrorOf(error) ?? { code: 'INTERNAL', message: String(error) };
  }
  throw new Error('the rollout succeeded');
};

describe('a rollout that cannot succeed ends as soon as that is seen', () => {
  test('an image that does not exist', async () => {
    const error = await releaseError({ image: 'registry.example/shop:missing' });
    expect(error).toMatchObject({ code: 'IMAGE_UNAVAILABLE', subject: 'Deployment/shop' });
    expect(error.message).toContain('registry.example/shop:missing');
    expect(error.message).toContain('ImagePullBackOff');
  });

  test('a container that crashes again and again, with its last log lines', async () => {
    const error = await releaseError({ image: 'registry.example/shop:bad' });
    expect(error.code).toBe('ROLLOUT_FAILED');
    expect(error.message).toContain('CrashLoopBackOff');
    expect(error.message).toContain('kwok runs no container');
  });

  test('a quota that leaves no room for the pods', async () => {
    await site.add({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'tight' },
      spec: { hard: { pods: '1' } },
    });
    const error = await releaseError({ replicas: 3 });
    expect(error.code).toBe('QUOTA_EXCEEDED');
    expect(error.message).toContain('exceeded quota: tight');
  });

  test('a ServiceAccount that is missing', async () => {
    const release = await driver.prepare('1', 1, {});
    const changed = release.plan.changes.filter(({ action }) => action === 'create');
    for (const { index } of changed) await site.releases.write({ ...release.step, index });
    await site.edit(
      refs.deployment,
      editSpec((spec) => (recordAt(spec, 'template', 'spec')['serviceAccountName'] = 'nobody')),
    );
    await site.edit(
      refs.deployment,
      editSpec((spec) => (spec['replicas'] = 1)),
    );
    const wait = site.workloads.awaitRollout({
      ...driver.target,
      object: refs.deployment,
      generation: 1,
      deadlineMs: 20_000,
      stableMs: 0,
    });
    await expect(wait).rejects.toMatchObject({
      type: 'ROLLOUT_FAILED',
      message: expect.stringContaining('serviceaccount "nobody" not found'),
    });
  });
});

describe('a rollout that takes too long', () => {
  const unready = { image: 'registry.example/shop:3a' };

  test('ends at the deadline of the wait, and names the pods', async () => {
    const release = await driver.prepare('1', 1, unready);
    for (const { index } of release.plan.changes) {
      await site.releases.write({ ...release.step, index });
    }
    const wait = site.workloads.awaitRollout({
      ...driver.target,
      object: refs.deployment,
      generation: 1,
      deadlineMs: 1_500,
      stableMs: 0,
    });
    await expect(wait).rejects.toMatchObject({
      type: 'ROLLOUT_DEADLINE',
      message: expect.stringContaining('ContainersNotReady'),
    });
  });

  test('ends when Kubernetes itself gives up waiting', async () => {
    // Kubernetes does not watch the progress of a workload that is only scaled up from nothing.
    const first = await driver.deployed('1', 1);
    const objects = sampleService(unready).map((object) =>
      object.kind === 'Deployment'
        ? editSpec((spec) => (spec['progressDeadlineSeconds'] = 1))(object)
        : object,
    );
    const second = await driver.prepare('2', 2, { objects, previous: first });
    const change = second.plan.changes.find(({ object }) => object.kind === 'Deployment');
    const { generation } = await site.releases.write({
      ...second.step,
      index: change?.index ?? -1,
    });
    const wait = site.workloads.awaitRollout({
      ...driver.target,
      object: refs.deployment,
      generation,
      deadlineMs: 40_000,
      stableMs: 0,
    });
    await expect(wait).rejects.toMatchObject({
      type: 'ROLLOUT_DEADLINE',
      message: expect.stringContaining('has timed out progressing'),
    });
  });
});

describe('what a failed version leaves behind', () => {
  test('its logs are kept and its ReplicaSet is deleted, so that no undo brings it back', async () => {
    const first = await driver.deployed('1', 1);
    const second = await driver.prepare('2', 2, {
      image: 'registry.example/shop:bad',
      previous: first,
    });
    await expect(driver.forward(second)).rejects.toMatchObject({ type: 'ROLLOUT_FAILED' });
    const request = { ...second.step, object: refs.deployment };
    const { logsDigest, lines } = await site.workloads.keepLogs(request);
    expect(lines).toBeGreaterThan(0);
    const kept = new TextDecoder().decode(await site.blobs.get(logsDigest ?? ''));
    expect(kept).toContain('kwok runs no container');
    await driver.back(second);
    const retired = await site.workloads.retire({ ...request, epoch: 3 });
    expect(retired.deleted).toHaveLength(1);
    expect((await site.workloads.retire({ ...request, epoch: 3 })).deleted).toEqual([]);
    const { rows } = await driver.proof(second, 'back');
    expect(rows.map(({ verdict }) => verdict)).toEqual(rows.map(() => 'exact'));
  });

  test('an old ReplicaSet that Kubernetes pruned is flagged', async () => {
    const first = await driver.deployed('1', 1);
    await site.edit(
      refs.deployment,
      editSpec((spec) => (spec['revisionHistoryLimit'] = 0)),
    );
    const second = await driver.prepare('2', 2, {
      image: 'registry.example/shop:2',
      previous: first,
    });
    await driver.forward(second);
    const before = await site.get(refs.deployment);
    expect(before).toBeDefined();
    await replicaSetsDownTo(1);
    await driver.back(second);
    const { rows } = await driver.proof(second, 'back');
    expect(rows.find(({ object }) => object.kind === 'Deployment')?.verdict).toBe(
      'replica-set-replaced',
    );
  });
});

/** Waits for the controller to have pruned the old ReplicaSets. */
const replicaSetsDownTo = async (count: number): Promise<void> => {
  const path = `/apis/apps/v1/namespaces/${site.namespace}/replicasets`;
  for (;;) {
    const { items } = (await site.api.call({ method: 'GET', path })) as { items: unknown[] };
    if (items.length <= count) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
