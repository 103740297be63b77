import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Releases } from '../../../activities/kubernetes/port.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import {
  codeOf,
  createDriver,
  indexOf,
  refs,
  type DrivenRelease,
} from '../../conformance/release-driver.ts';
import type { Fate, ProxiedRequest } from '../../kill/fault-proxy.ts';
import { levelOneSandbox } from './level-one.ts';
import { retried, spoilOnce } from './lost-answers.ts';
import { openProxiedSite, type ProxiedSite } from './proxied-site.ts';

let sandbox: Sandbox;
let site: ProxiedSite;
let driver: ReturnType<typeof createDriver>;
const sites: ProxiedSite[] = [];

beforeAll(async () => {
  sandbox = await levelOneSandbox();
});

beforeEach(async () => {
  site = await openProxiedSite(sandbox);
  sites.push(site);
  driver = createDriver(site);
});

afterAll(async () => {
  await Promise.all(sites.map(async (open) => open.close()));
});

const forward: Fate = { kind: 'forward' };
const nothing = (): void => undefined;

const once = (fits: (request: ProxiedRequest) => boolean, fate: Fate): { seen: () => number } =>
  spoilOnce(site.proxy, fits, fate);

const isWrite = (request: ProxiedRequest): boolean => request.mutating;

const secondRelease = async (): Promise<DrivenRelease> => {
  const first = await driver.deployed('1', 1);
  const options = { image: 'registry.example/shop:2', greeting: 'hi', previous: first };
  return driver.prepare('2', 2, options);
};

describe('answers that are lost', () => {
  test('each write of a release takes effect once, although every answer is lost once', async () => {
    const first = await driver.prepare('1', 1, {});
    const outcomes: string[] = [];
    for (const { index } of first.plan.changes) {
      const lost = once(isWrite, { kind: 'lose-after', meanwhile: nothing });
      const receipt = await retried(async () => site.releases.write({ ...first.step, index }));
      outcomes.push(`${receipt.outcome} after ${String(lost.seen())} sent`);
    }
    expect(outcomes).toEqual(outcomes.map(() => 'already-written after 1 sent'));
  });

  test('each undo takes effect once, although every answer is lost once', async () => {
    const second = await secondRelease();
    await driver.forward(second);
    for (const { index, action } of second.plan.changes.toReversed()) {
      const lost = once(isWrite, { kind: 'lose-after', meanwhile: nothing });
      const request = { ...second.step, epoch: 3, index };
      await retried(async () => site.releases.revert(request));
      expect(lost.seen()).toBe(action === 'keep' ? 0 : 1);
    }
    await site.workloads.awaitRollout({
      ...driver.target,
      object: refs.deployment,
      generation: 0,
      deadlineMs: 20_000,
      stableMs: 0,
    });
    const { rows } = await driver.proof(second, 'back');
    expect(rows.map(({ verdict }) => verdict)).toEqual(rows.map(() => 'exact'));
  });

  test('a request that never arrives is sent again', async () => {
    const first = await driver.prepare('1', 1, {});
    const lost = once(isWrite, { kind: 'lose-before', meanwhile: nothing });
    const receipt = await retried(async () => site.releases.write({ ...first.step, index: 0 }));
    expect([receipt.outcome, lost.seen()]).toEqual(['written', 2]);
  });
});

describe('answers that refuse', () => {
  const refusals: [string, number, string][] = [
    ['500', 500, 'CLUSTER_UNREACHABLE'],
    ['503', 503, 'CLUSTER_UNREACHABLE'],
    ['429', 429, 'RATE_LIMITED'],
  ];

  test.each(refusals)('%s is an error that Temporal tries again', async (_, status, code) => {
    const first = await driver.prepare('1', 1, {});
    const headers = { 'retry-after': '7' };
    once(isWrite, { kind: 'answer', status, headers, body: { message: 'not now' } });
    const write = site.releases.write({ ...first.step, index: 0 });
    await expect(write).rejects.toMatchObject({ type: code, nonRetryable: false });
    const again = await site.releases.write({ ...first.step, index: 0 });
    expect(again.outcome).toBe('written');
  });

  test('429 says when to come back', async () => {
    const first = await driver.prepare('1', 1, {});
    const answer = { status: 429, headers: { 'retry-after': '7' }, body: { message: 'slow' } };
    once(isWrite, { kind: 'answer', ...answer });
    const write = site.releases.write({ ...first.step, index: 0 });
    await expect(write).rejects.toMatchObject({ nextRetryDelay: 7_000 });
  });

  test('a plan is made anew from the objects as they are then', async () => {
    const first = await driver.deployed('1', 1);
    // The answer of the server where a guard of the patch does not hold.
    const body = { kind: 'Status', reason: 'Invalid', message: 'the server rejected our request' };
    const asked = ({ method, path }: ProxiedRequest): boolean =>
      method === 'PATCH' && /\/deployments\/.*dryRun=/.test(path) && !path.includes('force=');
    const refused = once(asked, { kind: 'answer', status: 422, body });
    const options = { image: 'registry.example/shop:2', previous: first };
    const second = await driver.prepare('2', 2, options);
    expect(refused.seen()).toBeGreaterThan(1);
    expect(second.plan.changes.map(({ step }) => step)).toContain('patch Deployment/shop');
  });

  test('a conflict is decided anew from the object as it is then', async () => {
    const second = await secondRelease();
    const body = { kind: 'Status', reason: 'Conflict', message: 'the object has been modified' };
    const conflict = once(isWrite, { kind: 'answer', status: 409, body });
    const index = indexOf(second, 'patch Deployment/shop');
    const receipt = await site.releases.write({ ...second.step, index });
    expect([receipt.outcome, conflict.seen()]).toEqual(['written', 2]);
  });
});

describe('watches that are dead', () => {
  const isWatch = (request: ProxiedRequest): boolean => request.path.includes('watch=true');
  const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
  const never = new Promise<void>(nothing);

  const fates: [string, Fate][] = [
    ['is silent for ever', { kind: 'hold', until: never }],
    ['answers 410', { kind: 'answer', status: 410, body: gone }],
    ['is cut', { kind: 'lose-before', meanwhile: nothing }],
  ];

  test.each(fates)('a rollout is seen although the watch %s', async (_, fate) => {
    site.proxy.decide = (request) => (isWatch(request) ? fate : forward);
    const first = await driver.deployed('1', 1);
    const { rows } = await driver.proof(first, 'forward');
    expect(rows.map(({ verdict }) => verdict)).toEqual(rows.map(() => 'exact'));
  });
});

describe('attempts that come too late', () => {
  test('a write that was held up in the network fails after the rollback', async () => {
    const second = await secondRelease();
    const index = indexOf(second, 'patch Deployment/shop');
    let release = nothing;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const held = once(isWrite, { kind: 'hold', until });
    const late = codeOf(site.releases.write({ ...second.step, index }));
    while (held.seen() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await site.releases.revert({ ...second.step, epoch: 3, index });
    const before = await site.get(refs.deployment);
    release();
    expect(await late).toBe('FENCED');
    expect((await site.get(refs.deployment))?.['spec']).toEqual(before?.['spec']);
    const { rows } = await driver.proof(second, 'back');
    expect(rows.find(({ object }) => object.kind === 'Deployment')?.verdict).toBe('exact');
  });

  test('an attempt whose time is over does not write any more', async () => {
    const first = await driver.prepare('1', 1, {});
    const startToCloseTimeoutMs = 200;
    const environment = new MockActivityEnvironment({ startToCloseTimeoutMs });
    let writes = 0;
    site.proxy.decide = ({ mutating }) => {
      writes += mutating ? 1 : 0;
      // Counted from here: the attempt began before it asked anything.
      return mutating ? forward : { kind: 'hold', until: delay(startToCloseTimeoutMs + 100) };
    };
    const write = environment.run(async () => site.releases.write({ ...first.step, index: 0 }));
    expect(await codeOf(write)).toBe('WRITE_CONFLICT');
    expect(writes).toBe(0);
  });
});

describe('in an activity', () => {
  const info = {
    workflowExecution: { workflowId: 'deploy:staging:shop:1', runId: 'run' },
    activityType: 'releases.write',
    activityId: '7',
    startToCloseTimeoutMs: 60_000,
    scheduledTimestampMs: Date.now(),
    currentAttemptScheduledTimestampMs: Date.now(),
  };

  test('each request names the step that sent it', async () => {
    const first = await driver.prepare('1', 1, {});
    const agents = new Set<string>();
    site.proxy.decide = (request) => {
      agents.add(request.userAgent);
      return forward;
    };
    const write = async (request: Parameters<Releases['write']>[0]) => site.releases.write(request);
    await new MockActivityEnvironment(info).run(write, { ...first.step, index: 0 });
    expect([...agents]).toEqual([
      expect.stringMatching(/^holdfast\/\S+ \(deploy:staging:shop:1; releases\.write; 7\)$/),
    ]);
  });

  test('waiting for a rollout heartbeats, and ends at once when it is cancelled', async () => {
    const first = await driver.prepare('1', 1, { image: 'registry.example/shop:3a' });
    for (const { index } of first.plan.changes) {
      await site.releases.write({ ...first.step, index });
    }
    const environment = new MockActivityEnvironment(info);
    const beats: unknown[] = [];
    environment.on('heartbeat', (detail: unknown) => {
      beats.push(detail);
      if (beats.length === 3) environment.cancel();
    });
    const wait = environment.run(async () =>
      site.workloads.awaitRollout({
        ...driver.target,
        object: refs.deployment,
        generation: 1,
        deadlineMs: 50_000,
        stableMs: 0,
      }),
    );
    await expect(wait).rejects.toMatchObject({ name: 'CancelledFailure' });
    expect(beats.at(-1)).toMatchObject({ wantedReplicas: 2, readyReplicas: 0 });
  });
});
