import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { deploy, seededWorld, send, someone, until } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
}, 60_000);
afterAll(() => server.stop());

const summariesOf = ({ notifications }: World) =>
  notifications.filter(({ event }) => event === 'release.summary');

test('a release is counted once with its lead time, and summed up', async () => {
  const world = await seededWorld(server);
  const committedAtMs = Date.now() - 3_600_000;
  const approvals = [{ name: 'release-manager', expiresAfterMs: 600_000 }];
  const run = await deploy(server, world, {
    version: '2',
    input: { approvals, commit: { sha: '0a1b2c3', committedAtMs } },
  });
  const { waitingFor } = await until(run, (seen) => seen.waitingFor?.planDigest !== undefined);
  await send(run, 'approve', { planDigest: waitingFor?.planDigest });
  expect((await run.result()).outcome).toBe('deployed');
  const { runId } = await run.describe();
  const [counted, ...more] = world.ended;
  expect(more).toEqual([]);
  expect(counted).toMatchObject({ runId, service: 'shop', release: '2', ending: 'deployed' });
  expect(counted?.leadTimeMs).toBeGreaterThanOrEqual(3_600_000);
  expect(counted?.restoreMs).toBeUndefined();
  expect(summariesOf(world)).toEqual([
    expect.objectContaining({
      text: expect.stringContaining(`shop 2 is live in ${world.environment}.`),
      summary: expect.objectContaining({
        outcome: 'deployed',
        images: [{ container: 'shop', before: 'shop:1', after: 'shop:2' }],
        objects: 4,
        requestedBy: someone,
        approvedBy: [someone],
        command: `holdfast deploy report shop -e ${world.environment} --release 2`,
      }),
    }),
  ]);
  await server.replay([run]);
});

test('a release that is put back counts as a failure, with the time that took', async () => {
  const world = await seededWorld(server);
  world.cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
  const run = await deploy(server, world, { version: '2' });
  const { failure } = await run.result();
  expect(world.ended).toEqual([
    expect.objectContaining({ ending: 'failed', restoreMs: expect.any(Number) }),
  ]);
  expect(world.ended[0]).not.toHaveProperty('leadTimeMs');
  expect(summariesOf(world)).toEqual([
    expect.objectContaining({
      text: expect.stringContaining('the version before runs again, exactly as it was'),
      summary: expect.objectContaining({ outcome: 'restored-exactly', why: failure?.message }),
    }),
  ]);
  await server.replay([run]);
});
