import path from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { DeployServiceResult } from '../../../contracts/delivery/deploy-service.ts';
import { createApiReader, type ApiReader } from '../../e2e/checker/api-reader.ts';
import { compareSnapshots } from '../../e2e/checker/compare.ts';
import { takeSnapshot, type NamespaceSnapshot } from '../../e2e/checker/namespace-snapshot.ts';
import { repeatedEffects, tookEffect } from '../../kill/audit-log.ts';
import type { Fate, ProxiedRequest } from '../../kill/fault-proxy.ts';
import {
  createReleaseRig,
  createRigInLane,
  type ReleaseRig,
  type Stack,
} from '../../kill/release-rig.ts';
import { openTracks, type ReleaseTracks } from '../../kill/release-tracks.ts';
import { sampleManifests, versions } from '../../kill/sample-service.ts';
import { startReleaseStack } from '../../setup/release-stack.ts';
import { test } from '../../setup/side-by-side.ts';
import { startTemporalServer } from '../../setup/temporal-server.ts';

const baseline = { release: 'r1', objects: sampleManifests(versions.first) };
const update = { release: 'r2', objects: sampleManifests(versions.second) };

let stack: Stack;
let reader: ApiReader;
let tracks: ReleaseTracks;

beforeAll(async () => {
  stack = await startReleaseStack(1, 'faults');
  reader = createApiReader(stack.kubeconfigPath, stack.context);
  tracks = await openTracks(stack, { name: 'faults', lanes: 3 });
}, 1_800_000);

afterAll(async () => {
  reader.close();
  await tracks.close();
});

interface Prepared {
  rig: ReleaseRig;
  before: NamespaceSnapshot;
}

/** Does the work in a namespace in which the first version runs, released without a fault. */
const withBaseline = (work: (prepared: Prepared) => Promise<void>): Promise<void> =>
  tracks.use(async ({ lane, namespace }) => {
    const rig = await createRigInLane(lane, namespace);
    try {
      const result = await rig.release(baseline);
      expect(result.outcome).toBe('deployed');
      await work({ rig, before: await takeSnapshot(reader, namespace) });
    } finally {
      await rig.close();
    }
  });

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
  test.each(cases)('$title to a write is tried again and takes effect once', ({ fate }) =>
    withBaseline(async ({ rig }) => {
      rig.proxy.decide = answerFirst(2, writesDeployment, fate);
      await expectDeployedOnce(rig, await rig.release(update));
    }),
  );

  test('an API server that cannot be reached for a while only delays the release', () =>
    withBaseline(async ({ rig }) => {
      rig.proxy.decide = answerFirst(8, () => true, { kind: 'lose-before', meanwhile: () => {} });
      await expectDeployedOnce(rig, await rig.release(update));
    }));

  test('a dead watch is noticed and replaced', () =>
    withBaseline(async ({ rig }) => {
      const never = new Promise<void>(() => {});
      const watches = (request: ProxiedRequest): boolean => request.path.includes('watch=');
      rig.proxy.decide = answerFirst(3, watches, { kind: 'hold', until: never });
      await expectDeployedOnce(rig, await rig.release(update));
    }));
});

describe('I-4 a fenced zombie', () => {
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

  test.each(zombies)('$name: resumed after the rollback, it changes nothing', (zombie) =>
    withBaseline(async ({ rig, before }) => {
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
    }),
  );
});

describe('restart of the Temporal server on its file database', () => {
  test('in the middle of a release, the release ends as if nothing had happened', async () => {
    const name = `faults-restart-${Date.now().toString(36)}`;
    const databasePath = path.join(stack.directory, `${name}.db`);
    const first = await startTemporalServer({ databasePath });
    const rig = await createReleaseRig({ ...stack, temporalAddress: first.address }, name);
    await rig.release(baseline);
    const reached = Promise.withResolvers<undefined>();
    const resumed = Promise.withResolvers<undefined>();
    rig.proxy.decide = (request) => {
      if (!writesDeployment(request)) return forward;
      reached.resolve(undefined);
      return { kind: 'hold', until: resumed.promise };
    };
    await rig.start(update);
    await reached.promise;
    await first.stop();
    const second = await startTemporalServer({ databasePath, port: first.port });
    rig.proxy.decide = () => forward;
    resumed.resolve(undefined);
    await expectDeployedOnce(rig, await rig.result('r2'));
    await rig.close();
    await second.stop();
  });
});
