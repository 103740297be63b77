import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer } from './release-server.ts';
import { minuteMs, verdicts, watched, worldWithRoute, writesOf } from './sample-candidate.ts';
import { contentOf, deploy, progressOf } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
}, 60_000);
afterAll(() => server.stop());

const input = {
  ...watched,
  previewHeader: { name: 'X-Preview', value: 'next' },
  strategy: {
    type: 'canary' as const,
    route: 'shop',
    steps: [{ weightPercent: 20, forMs: minuteMs }],
  },
};

describe('a preview by header', () => {
  test('is checked on the way of users, and its route is gone at the end', async () => {
    const world = await worldWithRoute(server);
    const run = await deploy(server, world, { version: '2', input });
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(verdicts(result).slice(0, 3)).toEqual([
      'preview: pass',
      'preview by header: pass',
      'watch at 20 %: pass',
    ]);
    const { stages } = await progressOf(run);
    expect(stages.find(({ name }) => name === 'preview route')).toMatchObject({
      status: 'done',
      note: 'X-Preview: next reaches the new version',
    });
    expect(writesOf(world)).toContain('create HTTPRoute/shop-x');
    const routes = world.cluster.objects().filter(({ kind }) => kind === 'HTTPRoute');
    expect(routes.map(({ metadata }) => metadata.name)).toEqual(['shop']);
    await server.replay([run]);
  }, 240_000);

  test('that no gateway takes is put back, and nobody gets traffic', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    world.cluster.knobs.fail = { awaitTaken: { times: 100, code: 'ROUTE_NOT_ACCEPTED' } };
    const run = await deploy(server, world, { version: '2', input });
    expect(await run.result()).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'preview route',
      failure: { code: 'ROUTE_NOT_ACCEPTED' },
    });
    expect(writesOf(world).filter((write) => write.startsWith('weigh'))).toEqual([]);
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  }, 240_000);
});
