import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DeployServiceResult } from '../../../contracts/delivery/deploy-service.ts';
import { restartTemporal } from '../../../sandbox/index.ts';
import { createApiReader, type ApiReader } from '../../e2e/checker/api-reader.ts';
import { compareSnapshots } from '../../e2e/checker/compare.ts';
import { takeSnapshot, type NamespaceSnapshot } from '../../e2e/checker/namespace-snapshot.ts';
import { repeatedEffects, tookEffect } from '../../kill/audit-log.ts';
import type { Fate, ProxiedRequest } from '../../kill/fault-proxy.ts';
import { createReleaseRig, type ReleaseRig, type Stack } from '../../kill/release-rig.ts';
import { sampleManifests, versions } from '../../kill/sample-service.ts';
import { levelOneState, startReleaseStack } from '../../setup/release-stack.ts';

const baseline = { release: 'r1', objects: sampleManifests(versions.first) };
const update = { release: 'r2', objects: sampleManifests(versions.second) };

/** A sandbox that was left running has the namespaces of earlier runs. */
const run = Date.now().toString(36);

let stack: Stack;
let reader: ApiReader;

beforeAll(async () => {
  stack = await startReleaseStack(1, 'faults');
  reader = createApiReader(stack.kubeconfigPath, stack.context);
}, 1_800_000);

afterAll(() => {
  reader.close();
});

interface Prepared {
  rig: ReleaseRig;
  before: NamespaceSnapshot;
}

/** A namespace in which the first version runs, released without a fault. */
const prepare = async (title: string): Promise<Prepared> => {
  const name = `${title}-${run}`;
  const rig = await createReleaseRig(stack, name);
  const result = await rig.release(baseline);
  expect(result.outcome).toBe('deployed');
  return { rig, before: await takeSnapshot(reader, name) };
};

const forward: Fate = { kind: 'forward' };

const writesDeployment = (request: ProxiedRequest): boolean =>
  request.mutating &&
  request.path.includes('/deployments/shop') &&
  request.userAgent.includes('releases.write');

const readsDeployment = (request: ProxiedRequest): boolean =>
  request.method === 'GET' &&
  request.path.includes('/deployments/shop') &&
  request.userAgent.includes('releases.write');

/** Answers for the server to the first `count` requests that match. */
const answerFirst = (
  count: number,
  matches: (request: ProxiedRequest) => boolean,
  answer: Fate,
) => {
  let left = count;
  return (request: ProxiedRequest): Fate => {
    if (left === 0 || !matches(request)) return forward;
    left -= 1;
    return answer;
  };
};

const status = (code: number, reason: string, headers: Record<string, string> = {}): Fate => ({
  kind: 'answer',
  status: code,
  headers,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: reason },
});

const expectDeployedOnce = async (rig: ReleaseRig, result: DeployServiceResult): Promise<void> => {
  expect(result.outcome).toBe('deployed');
  expect(repeatedEffects(await rig.writes())).toEqual([]);
};

describe('answers of an API server in trouble', () => {
  const cases = [
    { title: '409 conflict', fate: status(409, 'Conflict') },
    { title: '429 with Retry-After', fate: status(429, 'TooManyRequests', { 'retry-after': '1' }) },
    { title: '500 internal error', fate: status(500, 'InternalError') },
    { title: '503 unavailable', fate: status(503, 'ServiceUnavailable') },
  ];
  test.each(cases)(
    '$title to a write is tried again and takes effect once',
    async (entry) => {
      const code = entry.fate.kind === 'answer' ? entry.fate.status : 0;
      const { rig } = await prepare(`answer-${String(code)}`);
      rig.proxy.decide = answerFirst(2, writesDeployment, entry.fate);
      await expectDeployedOnce(rig, await rig.release(update));
      await rig.close();
    },
    60_000,
  );

  test('an API server that cannot be reached for a while only delays the release', async () => {
    const { rig } = await prepare('unreachable');
    rig.proxy.decide = answerFirst(8, () => true, { kind: 'lose-before', meanwhile: () => {} });
    await expectDeployedOnce(rig, await rig.release(update));
    await rig.close();
  }, 60_000);

  test('a dead watch is noticed and replaced', async () => {
    const { rig } = await prepare('dead-watch');
    const never = new Promise<void>(() => {});
    const watches = (request: ProxiedRequest): boolean => request.path.includes('watch=');
    rig.proxy.decide = answerFirst(3, watches, { kind: 'hold', until: never });
    await expectDeployedOnce(rig, await rig.release(update));
    await rig.close();
  }, 60_000);
});

describe('a fenced zombie', () => {
  interface Zombie {
    name: string;
    holds: (request: ProxiedRequest) => boolean;
  }
  const zombies: Zombie[] = [
    { name: 'zombie-write', holds: writesDeployment },
    { name: 'zombie-reread', holds: readsDeployment },
  ];

  /** Holds the first request that matches; the release goes on with another attempt. */
  const holdFirst = (rig: ReleaseRig, holds: Zombie['holds']): { wake: () => void } => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    rig.proxy.decide = answerFirst(1, holds, { kind: 'hold', until: promise });
    return {
      wake: () => {
        resolve(undefined);
      },
    };
  };

  test.each(zombies)(
    '$name: resumed after the rollback, it changes nothing',
    async (zombie) => {
      const { rig, before } = await prepare(zombie.name);
      const held = holdFirst(rig, zombie.holds);
      const bad = { release: 'r2', objects: sampleManifests(versions.bad) };
      const result = await rig.release(bad);
      expect(result.outcome).toBe('restored-exactly');
      const sentBefore = (await rig.writes()).length;

      held.wake();
      // The next release goes through the same worker and proxy after the zombie did.
      const probe = await rig.release({ ...baseline, release: 'r3' });
      expect(probe.outcome).toBe('deployed');

      const late = (await rig.writes()).slice(sentBefore).filter((w) => w.step.includes(':r2;'));
      expect(late.filter(tookEffect)).toEqual([]);
      expect(compareSnapshots(before, await takeSnapshot(reader, rig.namespace))).toEqual([]);
      await rig.close();
    },
    90_000,
  );
});

describe('restart of the Temporal server on its file database', () => {
  test('in the middle of a release, the release ends as if nothing had happened', async () => {
    const { rig } = await prepare('temporal-restart');
    const reached = Promise.withResolvers<undefined>();
    const resumed = Promise.withResolvers<undefined>();
    rig.proxy.decide = (request) => {
      if (!writesDeployment(request)) return forward;
      reached.resolve(undefined);
      return { kind: 'hold', until: resumed.promise };
    };
    await rig.start(update);
    await reached.promise;
    await restartTemporal(levelOneState);
    rig.proxy.decide = () => forward;
    resumed.resolve(undefined);
    await expectDeployedOnce(rig, await rig.result('r2'));
    await rig.close();
  }, 90_000);
});
