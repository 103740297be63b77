import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import type { DeployServiceInput } from '../../../contracts/delivery/deploy-service.ts';
import { failure } from '../../fakes/in-memory-failure.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { watched, writesOf } from './sample-candidate.ts';
import {
  contentOf,
  deploy,
  entityOf,
  lockOf,
  progressOf,
  runningWorld,
  seededWorld,
  send,
  someone,
  until,
} from './sample-release.ts';
import type { ReleaseHandle } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
}, 60_000);
afterAll(() => server.stop());

const errors = {
  name: 'Errors',
  expr: 'errors{service="$service"} > 5',
  forMs: 30_000,
  labels: {},
  annotations: {},
};

const withAlerts = (
  world: World,
  version: string,
  input: Partial<DeployServiceInput> = {},
): Promise<ReleaseHandle> =>
  deploy(server, world, { version, input: { alerts: [errors], ...input } });

const fileOf = ({ rules, environment }: World): string | undefined =>
  rules.files.get(`${environment}/shop`);

/** Version 2 with its alerts runs; version 3 will be told apart by another expression. */
const alertedWorld = async (): Promise<World> => {
  const world = await seededWorld(server);
  await (await withAlerts(world, '2')).result();
  world.rules.writes.length = 0;
  return world;
};

describe('alerts of a release', () => {
  test('are the last thing before the proof, and fire before they count', async () => {
    const world = await seededWorld(server);
    const run = await withAlerts(world, '2');
    expect((await run.result()).outcome).toBe('deployed');
    const { stages } = await progressOf(run);
    expect(stages.slice(-4).map(({ name, status }) => `${name}: ${status}`)).toEqual([
      'bake: skipped',
      'alerts: done',
      'prove: done',
      'finalise: done',
    ]);
    expect(stages.find(({ name }) => name === 'alerts')?.note).toMatch(/^1 in holdfast\/.*fire$/);
    expect(world.rules.writes).toEqual(['probed @3', 'wanted @3']);
    expect(fileOf(world)).toContain('"release": "2"');
    await server.replayAndRecord(run, 'alerts');
  });

  test('stay as they are where a release says nothing about them, and go with an empty list', async () => {
    const world = await alertedWorld();
    const before = fileOf(world);
    await (await deploy(server, world, { version: '3' })).result();
    expect(fileOf(world)).toBe(before);
    await (await withAlerts(world, '4', { alerts: [] })).result();
    expect(fileOf(world)).toBeUndefined();
  });

  test('that are wrong are refused before anything is planned', async () => {
    const world = await seededWorld(server);
    const before = contentOf(world);
    const run = await withAlerts(world, '2', { alerts: [{ ...errors, expr: 'sum(' }] });
    const refused: unknown = await run.result().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(WorkflowFailedError);
    expect((refused as WorkflowFailedError).cause).toMatchObject({
      type: 'INVALID_INPUT',
      message: expect.stringContaining('alerts[0].expr'),
    });
    expect(world.rules.writes).toEqual([]);
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });
});

describe('a release that is put back', () => {
  test('puts the rule file back byte by byte', async () => {
    const world = await alertedWorld();
    const before = fileOf(world);
    world.hooks.beforeCall = (activity) => {
      if (activity !== 'releases.prove') return;
      delete world.hooks.beforeCall;
      world.cluster.edit({ apiVersion: 'v1', kind: 'ConfigMap', name: 'shop-notes' }, (object) => ({
        ...object,
        data: { readme: 'version 2' },
      }));
    };
    const run = await withAlerts(world, '3');
    const { outcome, compensations } = await run.result();
    expect(outcome).toBe('restored-exactly');
    expect(compensations).toContainEqual(
      expect.objectContaining({ step: 'alerts', outcome: 'undone' }),
    );
    expect(world.rules.writes).toEqual(['probed @5', 'wanted @5', 'back @6']);
    expect(fileOf(world)).toBe(before);
    await server.replayAndRecord(run, 'alerts-undone');
  });

  test('is put back because its alerts are not shown to fire', async () => {
    const world = await alertedWorld();
    const before = { file: fileOf(world), content: contentOf(world) };
    world.hooks.beforeCall = (activity) => {
      if (activity !== 'alertRules.awaitLoaded') return;
      delete world.hooks.beforeCall;
      throw failure('ALERTS_UNPROVEN', 'nothing fires');
    };
    const run = await withAlerts(world, '3');
    expect(await run.result()).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'alerts',
      failure: { code: 'ALERTS_UNPROVEN' },
    });
    expect({ file: fileOf(world), content: contentOf(world) }).toEqual(before);
    await server.replay([run]);
  });

  test('keeps a rule file that someone else changed meanwhile, and says so', async () => {
    const world = await alertedWorld();
    world.hooks.beforeCall = (activity) => {
      if (activity !== 'releases.prove') return;
      delete world.hooks.beforeCall;
      world.rules.files.set(`${world.environment}/shop`, 'theirs');
      throw failure('FOREIGN_CHANGE', 'as the test wants it');
    };
    const run = await withAlerts(world, '3');
    const { outcome, compensations } = await run.result();
    expect(outcome).toBe('restored-with-exceptions');
    expect(compensations.find(({ step }) => step === 'alerts')).toMatchObject({
      outcome: 'foreign-change-preserved',
      note: expect.stringContaining('someone else'),
    });
    expect(fileOf(world)).toBe('theirs');
    await server.replay([run]);
  });

  test('from its retention has the traffic back without waiting for the alerts', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    const run = await withAlerts(world, '2', {
      ...watched,
      strategy: { type: 'blue-green', steps: [], retainMs: 3_600_000 },
    });
    const retaining = await until(run, ({ waitingFor }) => waitingFor?.verbs[0] === 'promote');
    const names = retaining.stages.map(({ name }) => name);
    expect(names.slice(names.indexOf('bake')).slice(0, 3)).toEqual(['bake', 'alerts', 'retain']);
    expect(fileOf(world)).toContain('"release": "2"');
    // Nothing would end if the switch waited for this.
    world.hooks.beforeCall = async (activity) => {
      if (activity !== 'alertRules.putBack') return;
      const isBack = (): boolean => writesOf(world).includes('undo switch Service/shop');
      while (!isBack()) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await send(run, 'abort');
    expect((await run.result()).outcome).toBe('restored-exactly');
    expect(fileOf(world)).toBeUndefined();
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('by an operator, after its run was lost, has its alerts put back too', async () => {
    const world = await alertedWorld();
    const before = fileOf(world);
    const reached = new Promise<void>((resolve) => {
      world.hooks.beforeCall = (activity) => {
        if (activity !== 'alertRules.awaitLoaded') return;
        delete world.hooks.beforeCall;
        resolve();
      };
    });
    const run = await withAlerts(world, '3');
    await reached;
    await run.terminate('the test plays a careless operator');
    const entity = entityOf(server, world);
    await untilLock(world, ({ status }) => status === 'needs-operator');
    await entity.executeUpdate('resolveLock', { args: [{ ...someone, action: 'restore' }] });
    await untilLock(world, ({ status }) => status === 'free');
    expect((await lockOf(server, world)).releases[0]).toMatchObject({
      release: '3',
      outcome: 'restored-exactly',
    });
    expect(fileOf(world)).toBe(before);
    await server.replay([entity]);
  });
});

type Lock = Awaited<ReturnType<typeof lockOf>>;

const untilLock = async (world: World, expected: (lock: Lock) => boolean): Promise<void> => {
  while (!expected(await lockOf(server, world))) {
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
};
