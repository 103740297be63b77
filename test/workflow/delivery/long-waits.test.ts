import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer } from './release-server.ts';
import { deploy, progressOf, seededWorld, send, until } from './sample-release.ts';

const dayMs = 86_400_000;

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer({ kind: 'time-skipping', profile: 'standard' });
});
afterAll(() => server.stop());

describe('an approval that takes days', () => {
  const approvals = [{ name: 'release-manager', expiresAfterMs: 7 * dayMs }];

  test('is taken after three days, and none of them counts for the deadline', async () => {
    const world = await seededWorld(server);
    const run = await deploy(server, world, { version: '2', input: { approvals } });
    const { planDigest } = await until(
      run,
      ({ waitingFor }) => waitingFor?.planDigest !== undefined,
    );
    await server.env.sleep(3 * dayMs);
    await send(run, 'approve', { planDigest });
    expect(await run.result()).toMatchObject({ outcome: 'deployed' });
    const { stages } = await progressOf(run);
    const approval = stages.find(({ name }) => name === 'approval');
    expect((approval?.endedAtMs ?? 0) - (approval?.startedAtMs ?? 0)).toBeGreaterThan(2 * dayMs);
    const { events } = await run.fetchHistory();
    expect(events?.length).toBeLessThan(150);
    await server.replay([run]);
  });

  test('expires after seven', async () => {
    const world = await seededWorld(server);
    const run = await deploy(server, world, { version: '2', input: { approvals } });
    const failure: unknown = await run.result().catch((error: unknown) => error);
    expect(failure).toHaveProperty('cause.type', 'APPROVAL_EXPIRED');
    await server.replay([run]);
  });
});
