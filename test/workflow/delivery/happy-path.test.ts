import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer } from './release-server.ts';
import { deploy, entityOf, lockOf } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
}, 60_000);
afterAll(() => server.stop());

describe('a release without trouble', () => {
  test('ends new and proven, and gives the lock back', async () => {
    const world = server.world();
    const first = await deploy(server, world, { version: '1' });
    expect(await first.result()).toMatchObject({ outcome: 'deployed', epoch: 2 });
    const second = await deploy(server, world, {
      version: '2',
      input: {
        smoke: [{ path: '/healthz', expectStatus: 200 }],
        bake: {
          forMs: 50,
          path: '/',
          maxFailureRatio: 0.01,
          requestsPerSecond: 500,
          minSamples: 20,
        },
      },
    });
    const result = await second.result();
    const history = await second.fetchHistory();
    console.log(history.events?.length, JSON.stringify(result, null, 1).slice(0, 1500));
    console.log(JSON.stringify(await second.query('progress'), null, 1).slice(0, 3000));
    console.log(
      world.cluster.writes,
      world.notifications.map((n) => n.event),
    );
    console.log(JSON.stringify(await lockOf(server, world)));
    await server.replay([first, second, entityOf(server, world)]);
  }, 60_000);
});
