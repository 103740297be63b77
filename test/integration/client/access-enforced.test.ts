import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DeployServiceHandle, DeployServiceRequest } from '../../../client/index.ts';
import { accessActions } from '../../../contracts/access-actions.ts';
import type { UpdateName } from '../../../contracts/messages.ts';
import { createAccessFolder } from '../../setup/access-folder.ts';
import { lockUntil } from '../../workflow/delivery/held-lock.ts';
import type { World } from '../../workflow/delivery/release-server.ts';
import { manifestsOf, seededWorld } from '../../workflow/delivery/sample-release.ts';
import { refusalOf, startAccessServer, type AccessServer } from './access-server.ts';
import { approvals, errorOf, planOf, requestOf } from './facade-server.ts';

let server: AccessServer;

beforeAll(async () => {
  server = await startAccessServer();
}, 60_000);
afterAll(async () => server.stop());

const stranger = 'nina@example.com';
const reason = 'because of the test';

/** A state in which a run takes some messages, if they come from the right person. */
interface Situation {
  name: string;
  verbs: readonly UpdateName[];
  reach: (world: World) => Promise<DeployServiceHandle>;
}

const startAs = async (
  world: World,
  name: string,
  changes: Partial<DeployServiceRequest>,
): Promise<DeployServiceHandle> => {
  const ops = await server.as(world, name);
  const request = requestOf(world, { manifests: manifestsOf('2'), release: '2', ...changes });
  return ops.delivery.deployService.start(request);
};

const reaches = async (
  run: DeployServiceHandle,
  isReached: (progress: Awaited<ReturnType<DeployServiceHandle['progress']>>) => boolean,
): Promise<void> => {
  for await (const { progress } of run.watch({ intervalMs: 20 })) {
    if (progress !== null && isReached(progress)) return;
  }
  throw new Error('the run ended before it came so far');
};

const situations: Situation[] = [
  {
    name: 'a plan that waits',
    verbs: ['approve', 'reject', 'pause', 'resume', 'abort'],
    reach: async (world) => {
      const run = await startAs(world, 'rita@example.com', { approvals });
      await reaches(run, ({ waitingFor }) => waitingFor?.planDigest !== undefined);
      return run;
    },
  },
  {
    name: 'a canary that is watched',
    verbs: ['skip', 'setWeight', 'promote', 'promoteFull'],
    reach: async (world) => {
      const strategy = {
        type: 'canary' as const,
        steps: [{ weightPercent: 50, forMs: 3_600_000 }],
      };
      world.traffic.smokeVersion = '2';
      const run = await startAs(world, 'rita@example.com', { strategy });
      await reaches(run, ({ stages }) =>
        stages.some(({ name, status }) => name.startsWith('watch at') && status === 'running'),
      );
      return run;
    },
  },
  {
    name: 'a failed step that is held',
    verbs: ['retryStep'],
    reach: async (world) => {
      world.traffic.smokePasses = false;
      const smoke = [{ path: '/', expectStatus: 200 }];
      const run = await startAs(world, 'rita@example.com', { onFailure: 'hold', smoke });
      await reaches(run, ({ status }) => status === 'needs-operator');
      return run;
    },
  },
  {
    name: 'an object that cannot be put back',
    verbs: ['retryCompensation'],
    reach: async (world) => {
      const { cluster } = world;
      cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
      cluster.knobs.fail.revert = { times: 1_000, code: 'PERMISSION_MISSING' };
      const run = await startAs(world, 'rita@example.com', { compensationDeadlineMs: 1_000 });
      await reaches(run, ({ status }) => status === 'needs-operator');
      return run;
    },
  },
];

const contentFor = async (run: DeployServiceHandle, verb: UpdateName) => {
  if (verb === 'setWeight') return { reason, weightPercent: 30 };
  if (verb !== 'approve' && verb !== 'reject') return { reason };
  return { reason, planDigest: (await run.progress()).waitingFor?.planDigest ?? '' };
};

const updatesIn = async ({ workflowId }: { workflowId: string }): Promise<number> => {
  const { events = [] } = await server.env.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)
    .length;
};

describe('an actor without permission', () => {
  test('is refused every verb of the catalogue by one of the tests here', () => {
    const here = ['start', 'resolveLock', ...situations.flatMap(({ verbs }) => verbs)];
    const ofServices = accessActions.filter(({ about }) => about === 'Service');
    expect(here.sort()).toEqual(ofServices.map(({ verb }) => verb).sort());
  });

  test('starts nothing, neither by the facade nor past it', async () => {
    const world = await seededWorld(server);
    const written = [...world.cluster.writes];
    const request = requestOf(world, { release: '2' });
    const refused = await errorOf(
      (await server.as(world, stranger)).delivery.deployService.start(request),
    );
    expect(refused).toMatchObject({ code: 'PERMISSION_DENIED', exitCode: 77 });
    expect(refused.message).toContain(
      `${stranger} may not deployService.start on shop in ${world.environment}`,
    );
    expect(refused.next).toContain('Ask rita@example.com, omar@example.com, adam@example.com');
    const workflowId = `deploy:${world.environment}:shop:2`;
    await expect(server.env.client.workflow.getHandle(workflowId).describe()).rejects.toThrow();

    // The same key without the access configuration: now the run is all that refuses.
    const past = await server.bypassing(world, stranger);
    const run = await past.delivery.deployService.start(request);
    const byRun = await errorOf(run.result());
    expect(byRun).toMatchObject({ code: 'PERMISSION_DENIED' });
    // Whoever comes past the facade is not told whom to trick.
    expect(`${byRun.message} ${byRun.next}`.replaceAll(stranger, '')).not.toContain('@');
    expect(world.cluster.writes).toEqual(written);
  });

  describe.each(situations)('$name', ({ verbs, reach }) => {
    test('is not moved by them, neither by the facade nor past it', async () => {
      const world = await seededWorld(server);
      const run = await reach(world);
      const strangers = await server.as(world, stranger);
      const past = await server.bypassing(world, stranger);
      const plain = server.env.client.workflow.getHandle(run.workflowId);
      for (const verb of verbs) {
        const content = await contentFor(run, verb);
        const facade = await strangers.delivery.deployService.getHandle(run.workflowId);
        const byName = facade as unknown as Record<string, (message: unknown) => Promise<unknown>>;
        const before = await updatesIn(run);
        const refused = await errorOf(byName[verb]?.(content) ?? Promise.resolve());
        expect(refused).toMatchObject({
          code: 'PERMISSION_DENIED',
          message: expect.stringContaining(`deployService.${verb}`),
        });
        expect(await updatesIn(run)).toBe(before);

        const signed = await (
          await past.delivery.deployService.getHandle(run.workflowId)
        ).sign(verb, content);
        expect(
          await refusalOf(plain.executeUpdate<unknown, [unknown]>(verb, { args: [signed] })),
        ).toMatchObject({ code: 'PERMISSION_DENIED' });
        const unsigned = { ...content, actor: 'adam@example.com' };
        expect(
          await refusalOf(plain.executeUpdate<unknown, [unknown]>(verb, { args: [unsigned] })),
        ).toMatchObject({ code: 'IDENTITY_UNPROVEN' });
        expect(await updatesIn(run)).toBe(before + 2);
      }
      expect(JSON.stringify(await run.evidence())).not.toContain(stranger);
      await plain.terminate('the test has seen enough');
    });
  });

  test('does not decide about a lock', async () => {
    const world = await seededWorld(server);
    const run = await situations[2]?.reach(world);
    await server.env.client.workflow
      .getHandle(run?.workflowId ?? '')
      .terminate('as a careless one');
    await lockUntil(server, world, ({ status }) => status === 'needs-operator');
    const decision = { action: 'release' as const, reason };
    const strangers = await server.as(world, stranger);
    expect(
      await errorOf(strangers.services.resolveLock(world.environment, 'shop', decision)),
    ).toMatchObject({ code: 'PERMISSION_DENIED' });
    const past = await server.bypassing(world, stranger);
    expect(
      await errorOf(past.services.resolveLock(world.environment, 'shop', decision)),
    ).toMatchObject({ code: 'PERMISSION_DENIED' });
    const omar = await server.as(world, 'omar@example.com');
    await omar.services.resolveLock(world.environment, 'shop', decision);
    const state = await lockUntil(server, world, ({ status }) => status === 'free');
    expect(state.releases[0]?.decision).toMatchObject({
      actor: 'omar@example.com',
      verification: 'verified',
    });
  });
});

describe('actors with permission', () => {
  test('release by two people, and the evidence says who, by which policy', async () => {
    const world = await seededWorld(server);
    const rita = await server.as(world, 'rita@example.com');
    const run = await rita.delivery.deployService.start(
      requestOf(world, { release: '2', approvals }),
    );
    const planDigest = await planOf(rita, world);
    const anna = await server.as(world, 'anna@example.com');
    const hers = await anna.delivery.deployService.getHandle(run.workflowId);
    await hers.approve({ reason: 'read it', planDigest });
    const { outcome, evidence } = await run.result();
    expect(outcome).toBe('deployed');
    expect(evidence.identities).toEqual([
      expect.objectContaining({
        action: 'deploy',
        actor: 'rita@example.com',
        verification: 'verified',
        decidedBy: ['releasers-release'],
      }),
      expect.objectContaining({
        action: 'approve',
        actor: 'anna@example.com',
        verification: 'verified',
        decidedBy: ['approvers-decide'],
      }),
    ]);
    await server.replay([server.env.client.workflow.getHandle(run.workflowId)]);
  });

  test('need not be able to read where the keys are: then the run alone looks them up', async () => {
    const world = await seededWorld(server);
    const elsewhere = createAccessFolder();
    const { text } = await server.folder.keyFor('rita@example.com');
    const rita = await server.with(world, { accessFile: elsewhere.file, accessKey: text });
    const request = requestOf(world, { release: '2' });
    expect((await rita.delivery.deployService.execute(request)).outcome).toBe('deployed');
    const nina = await server.folder.keyFor(stranger);
    const strangers = await server.with(world, {
      accessFile: elsewhere.file,
      accessKey: nina.text,
    });
    expect(await errorOf(strangers.delivery.deployService.start(request))).toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    elsewhere.remove();
  });

  test('do nothing in the name of others', async () => {
    const world = await seededWorld(server);
    const rita = await server.as(world, 'rita@example.com');
    const request = requestOf(world, {
      release: '2',
      requestedBy: { actor: 'adam@example.com' },
    });
    expect(await errorOf(rita.delivery.deployService.start(request))).toMatchObject({
      code: 'IDENTITY_UNPROVEN',
      message: expect.stringContaining('is of rita@example.com'),
    });
  });
});
