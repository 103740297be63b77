import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { test } from '../../setup/side-by-side.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer } from './release-server.ts';
import {
  announced,
  contentOf,
  deploy,
  runningWorld,
  send,
  someone,
  until,
} from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

describe('a release with onFailure: hold', () => {
  const hold = { onFailure: 'hold' as const, smoke: [{ path: '/', expectStatus: 200 }] };
  const isHeld = ({ status }: { status: string }): boolean => status === 'needs-operator';

  test('goes on after retryStep, once the cause is gone', async () => {
    const world = await runningWorld(server);
    world.traffic.smokePasses = false;
    const run = await deploy(server, world, { version: '2', input: hold });
    const held = await until(run, isHeld);
    expect(held.waitingFor?.verbs).toEqual(['retryStep', 'skip', 'abort']);
    await until(run, () => announced(world, '2').includes('needs-operator'));
    world.traffic.smokePasses = true;
    await send(run, 'retryStep');
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'deployed', gates: [{ verdict: 'pass' }] });
    expect(result.failedStep).toBeUndefined();
    await server.replayAndRecord(run, 'held-and-retried');
  });

  test('goes on after skip, with the gate recorded as skipped', async () => {
    const world = await runningWorld(server);
    world.traffic.smokePasses = false;
    const run = await deploy(server, world, { version: '2', input: hold });
    await until(run, isHeld);
    await send(run, 'skip');
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'deployed', gates: [{ verdict: 'skipped' }] });
    expect(result.evidence.identities).toContainEqual({
      action: 'skip',
      verification: 'unverified',
      ...someone,
    });
    await server.replay([run]);
  });

  test('is put back after abort', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    world.traffic.smokePasses = false;
    const run = await deploy(server, world, { version: '2', input: hold });
    await until(run, isHeld);
    await send(run, 'abort');
    expect(await run.result()).toMatchObject({
      outcome: 'restored-exactly',
      failure: { code: 'SMOKE_FAILED' },
    });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });
});
