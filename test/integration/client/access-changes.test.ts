import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  migrate,
  openAccessDatabase,
  openStore,
} from '../../../activities/store/postgres/index.ts';
import { startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';
import {
  reaches,
  rolesNow,
  startAccessServer,
  type AccessServer,
} from '../../workflow/security/access-server.ts';
import { errorOf } from './facade-server.ts';
import { typed } from './typed-command.ts';
import type { Ended } from './user-terminal.ts';
import {
  adam,
  anna,
  approvedOperators,
  changeOf,
  guest,
  nina,
  plainOf,
  queuePrefixOf,
  reason,
  rita,
  startAsAdam,
  startedBy,
  stuckAtTarget,
} from './waiting-access.ts';

let server: AccessServer;
let postgres: PostgresServer;
let databaseUrl: string;
let queuePrefix: string;

beforeAll(async () => {
  [server, postgres] = await Promise.all([
    startAccessServer(approvedOperators),
    startPostgresServer(),
  ]);
  databaseUrl = await postgres.createDatabase();
  await using store = openStore(databaseUrl);
  await migrate(store);
  server.folder.write(
    'sandbox.json',
    JSON.stringify({
      stateDirectory: server.folder.pathOf('.'),
      temporal: { address: server.env.address, namespace: server.env.namespace ?? 'default' },
    }),
  );
  queuePrefix = await queuePrefixOf(server);
}, 120_000);

afterAll(async () => {
  await server.stop();
  await postgres.remove();
});

describe('ops.security.manageAccess', () => {
  test('has one open run for a change, and refuses another one of the same name', async () => {
    const ops = await server.as(adam);
    const request = changeOf();
    const run = await ops.security.manageAccess.start(request);
    const same = await ops.security.manageAccess.start(request);
    expect([run.started, same.started, same.runId]).toEqual([true, false, run.runId]);
    const other = { ...request, give: [{ role: 'operator', user: guest }] };
    expect(await errorOf(ops.security.manageAccess.start(other))).toMatchObject({
      code: 'RUN_EXISTS',
    });
    const found = await ops.security.manageAccess.startOrGet(other);
    expect([found.started, found.runId]).toEqual([false, run.runId]);
    await reaches(run, ({ waitingFor }) => waitingFor !== undefined);
    expect(await run.plan()).toMatchObject({
      give: [{ role: 'operator', holder: { user: nina } }],
      after: [{ person: nina, roles: ['operator in prod'] }],
    });
    await run.abort({ reason });
    expect(await errorOf(run.result())).toMatchObject({ code: 'ABORTED' });
  });

  test('waits for the end of what is executed', async () => {
    const ops = await server.as(adam);
    const result = await ops.security.manageAccess.execute(
      changeOf({ role: 'releaser', user: guest, forMs: 500 }),
    );
    expect(result).toMatchObject({
      outcome: 'changed',
      evidence: { identities: [{ actor: adam }] },
    });
    expect(await rolesNow(server, guest)).not.toContain('releaser in prod');
  });
});

describe('holdfast access', () => {
  const holdfast = async (
    name: string,
    args: readonly string[],
    variables: Readonly<Record<string, string>> = {},
  ): Promise<Ended> =>
    typed(['access', ...args], {
      HOLDFAST_STATE_DIR: server.folder.pathOf('.'),
      HOLDFAST_QUEUE_PREFIX: queuePrefix,
      HOLDFAST_ACCESS: server.folder.file,
      HOLDFAST_ACCESS_KEY: (await server.folder.keyFor(name)).text,
      HOLDFAST_ACTOR: '',
      DATABASE_URL: '',
      ...variables,
    });

  const fileOf = (content: object): string => server.folder.write('change.yaml', content);

  test('changes roles: says what it waits for, is approved, and tells who got what', async () => {
    const { change } = changeOf();
    const give = [{ role: 'operator', user: nina, environments: ['prod'] }];
    const file = fileOf({ change, give, reason: 'Nina is on call' });
    const started = await holdfast(adam, ['change', '-f', file]);
    expect(started).toMatchObject({ exitCode: 5, stdout: `access:${change}\n` });
    const approve = `holdfast access approve ${change} --reason`;
    expect(started.stderr).toContain(approve);

    const shown = await holdfast(anna, ['get', change]);
    expect(shown.stdout).toContain('+ operator in prod');
    expect(shown.stdout).toContain(approve);
    const listed = await holdfast(anna, ['get', '--json']);
    expect(JSON.parse(listed.stdout)).toContainEqual(
      expect.objectContaining({ change, status: 'running' }),
    );

    const approved = await holdfast(anna, ['approve', change, '--reason', 'she is']);
    expect(approved).toMatchObject({ exitCode: 0 });
    const ended = await holdfast(anna, ['get', change, '--watch']);
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(ended.stdout).toContain(`access:${change}: changed\n+ operator of ${nina} in prod`);
    expect(ended.stdout).toMatch(/cluster: taken, read back: .*nina/);
    expect(await rolesNow(server, nina)).toContain('operator in prod');

    const taken = { change: `${change}-back`, remove: give, reason: 'her week is over' };
    const back = await holdfast(adam, ['change', '-f', fileOf(taken), '--wait']);
    expect(back).toMatchObject({ exitCode: 0 });
    expect(await rolesNow(server, nina)).not.toContain('operator in prod');
  });

  test('finds what is there already, and changes nothing then', async () => {
    const { change } = changeOf();
    const file = fileOf({ change, give: [{ role: 'responder', user: guest }], reason });
    const command = ['change', '-f', file, '--wait', '--json'];
    for (const outcome of ['changed', 'unchanged']) {
      const ended = await holdfast(adam, command);
      expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
      expect(JSON.parse(ended.stdout)).toMatchObject({ outcome });
    }
  });

  test('shows what speaks against a change, and the smallest that would do', async () => {
    const file = fileOf({
      change: changeOf().change,
      give: [{ role: 'approver', user: rita }],
      reason,
    });
    const refused = await holdfast(adam, ['change', '-f', file]);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain('ACCESS_CONFLICT');
    expect(refused.stderr).toContain('release-and-approve');
    expect(refused.stderr).toContain('next:');
  });

  test('says what is left to do where a run is not there, or was ended from outside', async () => {
    const missing = await holdfast(adam, ['get', 'ops-nothing']);
    expect(missing.exitCode).not.toBe(0);
    expect(missing.stderr).toContain('There is no run access:ops-nothing.');
    const run = await startAsAdam(server, changeOf());
    await plainOf(server, run).terminate('as a careless one');
    const change = run.workflowId.replace('access:', '');
    const ended = await holdfast(adam, ['get', change, '--watch']);
    expect(ended.exitCode).toBe(8);
    expect(ended.stderr).toContain('nothing was put back');
    expect(ended.stderr).toContain('holdfast access review');
  });

  test('sends verbs of an operator, and prints what is to be pasted', async () => {
    const run = await stuckAtTarget(server);
    const change = run.workflowId.replace('access:', '');
    const shown = await holdfast(adam, ['get', change, '--watch']);
    expect(shown.exitCode).toBe(8);
    expect(shown.stderr).toContain(`holdfast access retry-step ${change} --reason`);

    const command = ['retry-step', change, '--reason', 'it is up again'];
    const printed = await holdfast(adam, [...command, '--print']);
    expect(JSON.parse(printed.stdout)).toMatchObject({ actor: adam, proof: expect.any(String) });
    expect((await run.progress()).status).toBe('needs-operator');
    expect(await holdfast(adam, command)).toMatchObject({ exitCode: 0 });
    expect((await run.result()).outcome).toBe('changed');
  });

  test('breaks the glass: the role is there at once, with its end and the day of its review', async () => {
    server.folder.write('directory.yaml', {
      users: {
        [guest]: {},
        [nina]: {},
        [adam]: { groups: ['admins'] },
        [anna]: { groups: ['approvers'] },
      },
    });
    const responder = await startAsAdam(server, changeOf({ role: 'responder' }));
    expect((await responder.result()).outcome).toBe('changed');
    const command = ['break-glass', 'operator', '-e', 'prod', '--reason', 'checkout is down'];
    const long = await holdfast(nina, [...command, '--for', '1d']);
    expect(long.exitCode).not.toBe(0);
    expect(long.stderr).toContain('at the most');

    const taken = await holdfast(nina, [...command, '--for', '2s']);
    expect(taken).toMatchObject({ exitCode: 0 });
    const [, change = ''] = /^(break-glass-\d{14}-[0-9a-f]{6}): you have/.exec(taken.stdout) ?? [];
    expect(taken.stdout).toMatch(/you have operator in prod until \d{4}-.*Z\n$/);
    expect(taken.stderr).toMatch(/Somebody else has to review it by \d{4}-/);
    expect(taken.stderr).toContain(`holdfast access approve ${change} --reason`);

    const run = await (await server.as(anna)).security.manageAccess.getHandle(change);
    const own = await holdfast(nina, ['approve', change, '--reason', 'I know why']);
    expect(own.exitCode).toBe(77);
    await reaches(run, ({ stages }) => stages.some(({ name }) => name === 'review'));
    expect(await rolesNow(server, nina)).not.toContain('operator in prod');
    const looked = await holdfast(anna, ['approve', change, '--reason', 'read the logs']);
    expect(looked).toMatchObject({ exitCode: 0 });
    expect((await run.result()).review).toMatchObject({ inOrder: true });
  });

  test('certifies now, and by one schedule whose runs are found by their name', async () => {
    const now = await holdfast(adam, ['certify']);
    expect(now).toMatchObject({ exitCode: 5 });
    await plainOf(server, { workflowId: now.stdout.trim() }).terminate('it was shown');

    const { schedule } = server.env.client;
    const handle = schedule.getHandle('certify-access');
    try {
      const made = await holdfast(adam, ['certify', '--every', 'quarter']);
      expect(made.stdout).toMatch(/^certifications start every quarter, next at .*-01T08:00:00/);
      const again = await holdfast(adam, ['certify', '--every', 'quarter', '--json']);
      expect(JSON.parse(again.stdout)).toMatchObject({ changed: false, every: 'quarter' });
      const monthly = await holdfast(adam, ['certify', '--every', 'month']);
      expect(monthly.stdout).toMatch(/^certifications start every month, next at/);
      const { spec, policies } = await handle.describe();
      expect(spec.calendars).toHaveLength(1);
      expect(policies.overlap).toBe('SKIP');

      await handle.trigger();
      const started = await startedBy(handle);
      expect(started).toMatch(/^access:certify-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const change = started.replace('access:', '');
      const run = await (await server.as(anna)).security.manageAccess.getHandle(change);
      await reaches(run, ({ waitingFor }) => waitingFor?.planDigest !== undefined);
      const shown = await holdfast(anna, ['get', change]);
      expect(shown.stdout).toContain(`holdfast access approve ${change}`);
      const approved = await holdfast(anna, ['approve', change, '--reason', 'read all of it']);
      expect(approved).toMatchObject({ exitCode: 0 });
      expect((await run.result()).outcome).toBe('certified');

      const stopped = await holdfast(adam, ['certify', '--stop']);
      expect(stopped.stdout).toContain('do not start by themselves any more');
      const twice = await holdfast(adam, ['certify', '--stop']);
      expect(twice).toMatchObject({ exitCode: 0 });
      expect(twice.stdout).toContain('nothing was changed');
    } finally {
      await handle.delete().catch(() => undefined);
    }
  });

  test('reviews what everybody has, with what was given and until when', async () => {
    const { grants, close } = openAccessDatabase(databaseUrl);
    const holder = { user: nina };
    const untilMs = Date.UTC(2999, 0, 1);
    await grants.write({
      ...{ id: 'ops-1', basedOn: 0 },
      grants: [{ role: 'operator', holder, environments: ['prod'], untilMs, change: 'ops-1' }],
    });
    await close();
    const known = await holdfast(adam, ['review', '--user', nina], { DATABASE_URL: databaseUrl });
    expect(known).toMatchObject({ exitCode: 0, stderr: '' });
    expect(known.stdout).toContain('operator in prod, until 2999-01-01T00:00:00Z');
    const unknown = await holdfast(adam, ['review', '--json']);
    expect(unknown.stderr).toContain('DATABASE_URL');
    expect(JSON.parse(unknown.stdout)).toMatchObject({ isComplete: false });
    const nobody = await holdfast(adam, ['review', '--user', 'mallory@example.com']);
    expect(nobody).toMatchObject({ exitCode: 2, stdout: '' });
  });
});
