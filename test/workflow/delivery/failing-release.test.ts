import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { DeployServiceInput } from '../../../contracts/delivery/deploy-service.ts';
import type { ErrorCode } from '../../../contracts/errors.ts';
import { test } from '../../setup/side-by-side.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import {
  contentOf,
  deploy,
  entityOf,
  lockOf,
  manifestsOf,
  runningWorld,
} from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

const bake = {
  forMs: 2_000,
  path: '/',
  maxFailureRatio: 0.01,
  requestsPerSecond: 100,
  minSamples: 10,
};

interface Arrow {
  name: string;
  spoil: (world: World) => void;
  input?: Partial<DeployServiceInput>;
  code: ErrorCode;
  failedStep: string;
}

const arrows: Arrow[] = [
  {
    name: 'the second write is refused',
    spoil: ({ cluster }) => {
      cluster.knobs.beforeWrite = (step) => {
        if (step.startsWith('create ConfigMap')) {
          cluster.knobs.fail.write = { times: 1, code: 'QUOTA_EXCEEDED' };
        }
      };
    },
    code: 'QUOTA_EXCEEDED',
    failedStep: 'patch Service/shop',
  },
  {
    name: 'the pods crash',
    spoil: ({ cluster }) => {
      cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
    },
    code: 'ROLLOUT_FAILED',
    failedStep: 'roll out Deployment/shop',
  },
  {
    name: 'the image is missing',
    spoil: ({ cluster }) => {
      cluster.knobs.failRolloutOfImage = { ':2': 'IMAGE_UNAVAILABLE' };
    },
    code: 'IMAGE_UNAVAILABLE',
    failedStep: 'roll out Deployment/shop',
  },
  {
    name: 'endpoints stay with the old version',
    spoil: ({ cluster }) => {
      cluster.knobs.fail.awaitEndpoints = { times: 1, code: 'ROLLOUT_DEADLINE' };
    },
    code: 'ROLLOUT_DEADLINE',
    failedStep: 'endpoints',
  },
  {
    name: 'a smoke check fails',
    spoil: ({ traffic }) => {
      traffic.smokePasses = false;
    },
    input: { smoke: [{ path: '/healthz', expectStatus: 200 }] },
    code: 'SMOKE_FAILED',
    failedStep: 'smoke',
  },
  {
    name: 'requests fail during the bake',
    spoil: ({ traffic }) => {
      traffic.failureRatio = 0.5;
    },
    input: { bake },
    code: 'BAKE_FAILED',
    failedStep: 'bake',
  },
  {
    name: 'the bake sees no requests',
    spoil: ({ traffic }) => {
      Object.assign(traffic, { failureRatio: undefined, windowTakesMs: 500 });
    },
    input: { bake },
    code: 'NO_DATA',
    failedStep: 'bake',
  },
  {
    name: 'someone changes an object before the proof',
    spoil: ({ cluster, hooks }) => {
      hooks.beforeCall = (activity) => {
        if (activity !== 'releases.prove') return;
        delete hooks.beforeCall;
        const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'shop-notes' };
        cluster.edit(ref, (object) => ({ ...object, data: { readme: 'version 1' } }));
      };
    },
    code: 'FOREIGN_CHANGE',
    failedStep: 'prove',
  },
];

describe('a release that fails after it wrote', () => {
  test.each(arrows)('is put back exactly when $name', async ({ spoil, input, ...expected }) => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    spoil(world);
    const run = await deploy(server, world, { version: '2', ...(input && { input }) });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: expected.failedStep,
      failure: { code: expected.code },
      proof: { direction: 'back' },
    });
    expect(contentOf(world)).toEqual(before);
    const told = world.notifications.filter(({ release }) => release === '2');
    expect(told.filter(({ event }) => event === 'restored')).toHaveLength(1);
    // A1: one incident, with what a responder needs; none where an operator stopped the release.
    expect(told.flatMap(({ incident }) => incident ?? [])).toEqual(
      expected.code === 'ABORTED'
        ? []
        : [
            expect.objectContaining({
              code: expected.code,
              failedStep: expected.failedStep,
              outcome: 'restored-exactly',
              planDigest: result.planDigest,
            }),
          ],
    );
    expect(await lockOf(server, world)).toMatchObject({
      status: 'free',
      lastGood: { release: '1' },
      unwoundReleases: ['2'],
    });
    await server.replay([run, entityOf(server, world)]);
  });

  test('keeps the logs of the failed version, deletes its ReplicaSet and undoes in reverse', async () => {
    const world = await runningWorld(server);
    world.cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
    const run = await deploy(server, world, { version: '2' });
    const { evidence, compensations } = await run.result();
    expect(evidence.logsDigest).toMatch(/^sha256:/);
    expect(compensations.map(({ step, outcome }) => `${step}: ${outcome}`)).toEqual([
      'patch Deployment/shop: undone',
      'patch Service/shop: undone',
      expect.stringMatching(/^create ConfigMap\/shop-config-\w+: undone$/),
      'patch ConfigMap/shop-notes: undone',
    ]);
    const undos = world.cluster.writes.filter((write) => write.startsWith('undo'));
    expect(undos[0]).toBe('undo patch Deployment/shop @5');
    await server.replayAndRecord(run, 'restored');
  });

  test('a first release that fails leaves nothing behind', async () => {
    const world = server.world();
    world.cluster.knobs.failRolloutOfImage = { ':1': 'ROLLOUT_FAILED' };
    const run = await deploy(server, world, { version: '1' });
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly' });
    expect(world.cluster.objects()).toEqual([]);
    await server.replayAndRecord(run, 'first-release-undone');
  });

  test("I-5 someone else's edit meanwhile is kept and flagged", async () => {
    const world = await runningWorld(server);
    const { cluster } = world;
    cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
    cluster.knobs.afterWrite = (step) => {
      if (step !== 'patch Service/shop') return;
      cluster.edit({ apiVersion: 'v1', kind: 'Service', name: 'shop' }, (object) => ({
        ...object,
        metadata: { ...object.metadata, labels: { version: 'mine' } },
      }));
    };
    const run = await deploy(server, world, { version: '2' });
    const result = await run.result();
    expect(result.outcome).toBe('restored-with-exceptions');
    expect(result.proof.rows).toContainEqual(
      expect.objectContaining({ verdict: 'foreign-change-preserved' }),
    );
    await server.replay([run]);
  });
});

test('a StatefulSet goes back past the broken pod that Kubernetes would wait for', async () => {
  const world = server.world();
  const { cluster } = world;
  const release = async (version: string) => {
    const objects = manifestsOf(version).map((object) =>
      object.kind === 'Deployment' ? { ...object, kind: 'StatefulSet' } : object,
    );
    const input = { manifestsDigest: await cluster.store(objects) };
    return deploy(server, world, { version, input });
  };
  await (await release('1')).result();
  const before = contentOf(world);
  cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
  const second = await release('2');
  expect(await second.result()).toMatchObject({
    outcome: 'restored-exactly',
    failedStep: 'roll out StatefulSet/shop',
  });
  expect(contentOf(world)).toEqual(before);
  await server.replayAndRecord(second, 'stateful-set-undone');
});
