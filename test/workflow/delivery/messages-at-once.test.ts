import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createUnverifiedIdentity } from '../../../activities/identity/index.ts';
import type { Identity } from '../../../activities/identity/port.ts';
import { startReleaseServer, type ReleaseServer } from './release-server.ts';
import { deploy, seededWorld, someone, until } from './sample-release.ts';

let letGo: () => void = () => undefined;
const held = new Promise<void>((resolve) => {
  letGo = resolve;
});

const reasonOf = ({ content }: { content: unknown }): string | undefined =>
  (content as { reason?: string }).reason;
const unverified = createUnverifiedIdentity();

/** Asking who sends takes longer for some messages than for others, as it does with a database. */
const identity: Identity = {
  async verify(request) {
    if (reasonOf(request) === 'slow') await delay(500);
    if (reasonOf(request) === 'held') await held;
    return unverified.verify(request);
  },
};

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer({ identity });
});
afterAll(() => server.stop());

describe('messages that come at once', () => {
  test('are answered in an order that a replay finds again, however long each sender takes to check', async () => {
    const world = await seededWorld(server);
    const approvals = [{ name: 'anyone', expiresAfterMs: 600_000 }];
    const run = await deploy(server, world, { version: '2', input: { approvals } });
    const { planDigest } = await until(
      run,
      ({ waitingFor }) => waitingFor?.planDigest !== undefined,
    );
    const send = async (verb: string, reason: string, more = {}): Promise<unknown> =>
      run.executeUpdate(verb, { args: [{ ...someone, reason, ...more }] });
    // While the sender of this one is checked, the others arrive: one workflow task gets both.
    const first = send('resume', 'slow');
    await delay(200);
    const others = [send('pause', 'slow'), send('approve', 'quick', { planDigest })];
    await Promise.all([first, ...others]);
    await send('resume', 'quick');
    expect(await run.result()).toMatchObject({ outcome: 'deployed' });
    await server.replay([run]);
  });

  test('wait for those of their own run alone', async () => {
    const worlds = [await seededWorld(server), await seededWorld(server)] as const;
    const approvals = [{ name: 'anyone', expiresAfterMs: 600_000 }];
    const [stuck, free] = await Promise.all(
      worlds.map(async (world) => deploy(server, world, { version: '2', input: { approvals } })),
    );
    const planOf = async (run = stuck): Promise<string> => {
      if (run === undefined) throw new Error('the release was not started');
      const { planDigest } = await until(run, (now) => now.waitingFor?.planDigest !== undefined);
      return planDigest ?? '';
    };
    const digests = { stuck: await planOf(stuck), free: await planOf(free) };
    const paused = stuck?.executeUpdate('pause', { args: [{ ...someone, reason: 'held' }] });
    await free?.executeUpdate('approve', { args: [{ ...someone, planDigest: digests.free }] });
    expect(await free?.result()).toMatchObject({ outcome: 'deployed' });
    letGo();
    await paused;
    await stuck?.executeUpdate('abort', { args: [someone] });
    await expect(stuck?.result()).rejects.toThrow();
    if (stuck !== undefined) await server.replay([stuck]);
  });
});
