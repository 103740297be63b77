import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { DeployServiceProgress } from '../../../contracts/delivery/deploy-service.ts';
import { until } from '../../setup/until.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { watched, worldWithRoute } from './sample-candidate.ts';
import { contentOf, deploy } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer({ kind: 'time-skipping' });
}, 60_000);
afterAll(() => server.stop());

// Shorter than the time by which pods are started early, so that they start as the stop begins.
const canary = {
  type: 'canary' as const,
  route: 'shop',
  steps: [
    { weightPercent: 10, forMs: 3_000 },
    { weightPercent: 50, forMs: 3_000 },
  ],
};

const counted = ['workloads.scale', 'routes.setWeight', 'probes.watch'];

/**
 * What pods and weights are asked for and how often the traffic is watched, in this order. After
 * every weight the share is measured first; then a stop lasts until pods were asked for.
 */
const followed = (world: World, answer: (scales: number) => void): string[] => {
  const calls: string[] = [];
  const scales = (): number => calls.filter((call) => call === 'scale').length;
  world.hooks.beforeCall = async (activity) => {
    if (!counted.includes(activity)) return;
    calls.push(activity.split('.')[1] ?? '');
    if (activity === 'workloads.scale') answer(scales());
    const isStop = calls.slice(-3).join(' ') === 'setWeight watch watch';
    if (!isStop || calls.filter((call) => call === 'setWeight').length > 2) return;
    const before = scales();
    await until(
      () => Promise.resolve(scales()),
      (now) => now > before,
    );
  };
  return calls;
};

const input = { ...watched, strategy: canary };

const runningStage = async (workflowId: string): Promise<string> => {
  const handle = server.env.client.workflow.getHandle(workflowId);
  const { stages } = await handle.query<DeployServiceProgress>('progress');
  return stages.find(({ status }) => status === 'running')?.name ?? 'none';
};

describe('pods of the next share', () => {
  test('start while the stop is still watched, so that the shift finds them ready', async () => {
    const world = await worldWithRoute(server);
    const calls = followed(world, () => undefined);
    const stages: string[] = [];
    const follow = world.hooks.beforeCall;
    world.hooks.beforeCall = async (activity, workflowId) => {
      if (activity === 'workloads.scale') stages.push(await runningStage(workflowId));
      await follow?.(activity, workflowId);
    };
    const run = await deploy(server, world, { version: '2', input });
    expect((await run.result()).outcome).toBe('deployed');
    expect(stages).toEqual(['shift to 10 %', 'watch at 10 %', 'watch at 50 %']);
    const withoutWindows = calls.filter((call) => call !== 'watch');
    expect(withoutWindows.join(' ')).toBe(
      'scale setWeight scale setWeight scale setWeight setWeight',
    );
    await server.replay([run]);
  });

  test('what could not be started early is asked for again, and the shift says why it cannot go on', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    const calls = followed(world, (scales) => {
      if (scales > 1) throw ApplicationFailure.nonRetryable('no room for more pods');
    });
    const run = await deploy(server, world, { version: '2', input });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'shift to 50 %',
      failure: { message: expect.stringContaining('no room for more pods') },
    });
    const withoutWindows = calls.filter((call) => call !== 'watch');
    expect(withoutWindows.join(' ')).toBe('scale setWeight scale scale setWeight');
    expect(contentOf(world)).toEqual(before);
  });
});
