import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { test } from '../../setup/side-by-side.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer } from './release-server.ts';
import { announced, deploy, entityOf, lockOf, progressOf, until } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

const gates = {
  smoke: [{ path: '/healthz', expectStatus: 200 }],
  bake: { forMs: 200, path: '/', maxFailureRatio: 0.01, requestsPerSecond: 500, minSamples: 20 },
};

describe('a release without trouble', () => {
  test('ends new and proven, gives the lock back and stays below 150 events', async () => {
    const world = server.world();
    const first = await deploy(server, world, { version: '1' });
    expect(await first.result()).toMatchObject({ outcome: 'deployed', epoch: 2 });
    const second = await deploy(server, world, { version: '2', input: gates });
    const result = await second.result();
    expect(result).toMatchObject({
      outcome: 'deployed',
      epoch: 4,
      compensations: [],
      gates: [
        { name: 'smoke', verdict: 'pass' },
        { name: 'bake', verdict: 'pass' },
      ],
    });
    expect(result.proof.rows.map(({ verdict }) => verdict)).toEqual(Array(4).fill('exact'));
    expect(result.evidence.identities).toEqual([
      expect.objectContaining({ action: 'deploy', verification: 'unverified' }),
    ]);
    expect(world.cluster.writes.slice(5)).toEqual([
      'patch ConfigMap/shop-notes @4',
      expect.stringMatching(/^create ConfigMap\/shop-config-\w+ @4$/),
      'patch Service/shop @4',
      'patch Deployment/shop @4',
    ]);
    for (const release of ['1', '2']) {
      await until(second, () => announced(world, release).includes('started'));
      expect(announced(world, release).sort()).toEqual(['deployed', 'release.summary', 'started']);
    }
    const lock = await lockOf(server, world);
    expect(lock).toMatchObject({ status: 'free', queue: [], lastGood: { release: '2' } });
    expect(lock.releases.map(({ release }) => release)).toEqual(['2', '1']);
    const history = await second.fetchHistory();
    expect(history.events?.length).toBeLessThan(150);
    await server.replay([first, entityOf(server, world)]);
    await server.replayAndRecord(second, 'deployed');
  });

  test('that changes nothing writes nothing', async () => {
    const world = server.world();
    await (await deploy(server, world, { version: '1' })).result();
    const writes = world.cluster.writes.length;
    const manifestsDigest = (await lockOf(server, world)).lastGood?.manifestsDigest ?? '';
    const again = await deploy(server, world, { version: '1b', input: { manifestsDigest } });
    expect(await again.result()).toMatchObject({ outcome: 'deployed' });
    expect(world.cluster.writes.length).toBe(writes);
    const { stages } = await progressOf(again);
    expect(stages.find(({ name }) => name === 'endpoints')).toMatchObject({ status: 'skipped' });
    await server.replay([again]);
  });

  test('shows itself in the Temporal UI: details, search attributes, handlers', async () => {
    const world = server.world();
    const run = await deploy(server, world, { version: '1', input: gates });
    await run.result();
    const described = await run.describe();
    const attributes = described.typedSearchAttributes
      .getAll()
      .map(({ key, value }) => [key.name, value]);
    expect(Object.fromEntries(attributes)).toMatchObject({
      HoldfastService: 'shop',
      HoldfastEnvironment: world.environment,
      HoldfastRelease: '1',
      HoldfastStage: 'finished',
      HoldfastOutcome: 'deployed',
      HoldfastNeedsOperator: false,
    });
    const metadata = await run.query<{
      currentDetails: string;
      definition: { updateDefinitions: { name: string; description: string }[] };
    }>('__temporal_workflow_metadata');
    expect(metadata.currentDetails).toContain(`### shop 1 → ${world.environment}: deployed`);
    expect(metadata.currentDetails).toContain('| roll out Deployment/shop | done |');
    const updates = metadata.definition.updateDefinitions;
    expect(updates.map(({ name }) => name).sort()).toEqual([
      'abort',
      'approve',
      'pause',
      'promote',
      'promoteFull',
      'reject',
      'resume',
      'retryCompensation',
      'retryStep',
      'setWeight',
      'skip',
    ]);
    expect(updates.every(({ description }) => description.length > 10)).toBe(true);
  });
});
