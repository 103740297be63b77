import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { watched, weightsIn, worldWithRoute, writesOf } from './sample-candidate.ts';
import { contentOf, deploy, progressOf } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer({ kind: 'time-skipping' });
}, 60_000);
afterAll(() => server.stop());

const strategy = {
  type: 'canary' as const,
  route: 'shop',
  steps: [{ weightPercent: 20, forMs: 1_000 }],
};
const query = 'open_connections{deployment="$workload"}';
const drain = { withinMs: 20_000, openConnections: query };
const input = { ...watched, strategy, drain };

const setOpen = (world: World, workload: string, open: number[]): void => {
  world.measured.set(`open_connections{deployment="${workload}"}`, open);
};

const noteOf = async (run: Awaited<ReturnType<typeof deploy>>, stage: string) =>
  (await progressOf(run)).stages.find(({ name }) => name === stage)?.note;

describe('connections that are open when the traffic has moved', () => {
  test('get time to end; those that do not are cut and counted, and unknown is said', async () => {
    const world = await worldWithRoute(server);
    setOpen(world, 'shop', [2, 1]);
    const run = await deploy(server, world, { version: '2', input });
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(result.evidence.drains).toMatchObject([
      { workload: 'shop', connectionsCut: 3 },
      { workload: expect.stringMatching(/^shop-[0-9a-f]{6}$/), connectionsCut: null },
    ]);
    for (const { waitedMs } of result.evidence.drains ?? []) {
      expect(waitedMs).toBeGreaterThanOrEqual(20_000);
    }
    expect(await noteOf(run, 'drain the old version')).toContain(
      '3 open connections of shop were cut',
    );
    expect(await noteOf(run, 'drain the candidate')).toContain('not measured');
    await server.replay([run]);
  }, 120_000);

  test('a drain ends as soon as none is open, before the pods are replaced', async () => {
    const world = await worldWithRoute(server);
    setOpen(world, 'shop', [4]);
    let looks = 0;
    let wroteBefore = false;
    world.hooks.beforeCall = (activity) => {
      if (activity !== 'metrics.query') return;
      looks += 1;
      wroteBefore ||= looks <= 3 && writesOf(world).slice(-20).includes('patch Deployment/shop-x');
      if (looks === 3) setOpen(world, 'shop', [0]);
    };
    const withinMs = 600_000;
    const run = await deploy(server, world, {
      version: '2',
      input: { ...input, drain: { ...drain, withinMs } },
    });
    const result = await run.result();
    const [stable] = result.evidence.drains ?? [];
    expect(stable).toMatchObject({ workload: 'shop', connectionsCut: 0 });
    expect(stable?.waitedMs).toBeLessThan(withinMs);
    expect(await noteOf(run, 'drain the old version')).toContain('none of shop is open any more');
    await server.replay([run]);
  }, 120_000);

  test('on the way back those of the candidate get the time, before its pods go', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    world.hooks.beforeCall = (activity) => {
      if (activity === 'probes.watch' && weightsIn(world)[1] === 20)
        world.traffic.failureRatio = 0.5;
    };
    const run = await deploy(server, world, {
      version: '2',
      input: { ...input, drain: { withinMs: 20_000 } },
    });
    const result = await run.result();
    expect(result.outcome).toBe('restored-exactly');
    expect(result.evidence.drains).toMatchObject([
      { workload: expect.stringMatching(/^shop-[0-9a-f]{6}$/), connectionsCut: null },
    ]);
    expect(contentOf(world)).toEqual(before);
    await server.replayAndRecord(run, 'drained-on-the-way-back');
  }, 120_000);

  test('a query that leaves a name open is refused, and nothing is touched', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    const run = await deploy(server, world, {
      version: '2',
      input: { ...input, drain: { withinMs: 1_000, openConnections: 'open{pod="$pod"}' } },
    });
    await expect(run.result()).rejects.toMatchObject({
      cause: {
        type: 'INVALID_INPUT',
        message: expect.stringContaining('drain.openConnections: nobody fills in $pod'),
      },
    });
    expect(contentOf(world)).toEqual(before);
  }, 60_000);
});
