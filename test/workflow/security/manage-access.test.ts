import { describe, expect, test } from '@jest/globals';
import { errorOf } from '../../integration/client/facade-server.ts';
import { accessRig, admin, anna, prod, reason, requestOf } from './access-rig.ts';
import { reaches, rolesNow, startAccessServer } from './access-server.ts';

const rig = accessRig();
const { start, handleFor, hears, temporal } = rig;

describe('a change of access', () => {
  test('is planned, written, brought to every target, read back and recorded', async () => {
    const run = await start({
      give: [{ role: 'releaser', user: 'nina@example.com', environments: prod }],
    });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'changed',
      given: ['releaser of nina@example.com in prod'],
      removed: [],
      before: [{ person: 'nina@example.com', roles: [] }],
      after: [{ person: 'nina@example.com', roles: ['releaser in prod'] }],
      targets: [
        {
          target: 'cluster',
          state: 'taken',
          note: expect.stringContaining('+view of nina@example.com'),
        },
        { target: 'database', state: 'taken', note: expect.stringContaining('read back') },
      ],
      evidence: {
        identities: [
          {
            action: 'start',
            actor: admin,
            verification: 'verified',
            decidedBy: ['admins-do-everything'],
          },
        ],
      },
    });
    expect(await rolesNow(rig.server, 'nina@example.com')).toEqual(['releaser in prod']);
    expect([...rig.server.cluster.ours.keys()]).toContain('view of nina@example.com');
    const { runId } = await temporal(run).describe();
    const records = rig.server.audited.filter(({ correlation }) => correlation === runId);
    expect(records.map(({ phase, action }) => `${phase} ${action}`)).toEqual([
      'intent manageAccess.start',
      'effect access.give',
      'outcome manageAccess.start',
    ]);
    expect(records.at(-1)?.result).toBe('changed');
    const { events } = await temporal(run).fetchHistory();
    expect(events?.length).toBeLessThan(80);
    await rig.server.replayAndRecord(temporal(run), 'changed');
  });

  test('asked for a hundred times is one change', async () => {
    const request = requestOf({ give: [{ role: 'releaser', user: 'ruth@example.com' }] });
    const { manageAccess } = (await rig.server.as(admin)).security;
    const runs = [];
    for (let time = 0; time < 100; time += 1) {
      runs.push(await manageAccess.start(request, { idempotencyKey: 'ticket' }));
    }
    expect(runs.filter(({ started }) => started)).toHaveLength(1);
    expect(await runs[0]?.result()).toMatchObject({ outcome: 'changed' });
    const { version } = await rig.server.grants.current();
    const again = await start({ give: request.give ?? [] });
    expect(await again.result()).toMatchObject({ outcome: 'unchanged', given: [] });
    expect((await rig.server.grants.current()).version).toBe(version);
  });

  test('takes away before it gives, everywhere', async () => {
    const user = 'otto@example.com';
    await (await start({ give: [{ role: 'releaser', user, environments: prod }] })).result();
    const seen: string[][] = [];
    rig.server.hooks.beforeCall = (activity) => {
      if (activity === 'accessChanges.write') seen.push([...rig.server.cluster.ours.keys()].sort());
    };
    const run = await start({
      remove: [{ role: 'releaser', user, environments: prod }],
      give: [{ role: 'approver', user, environments: prod }],
    });
    expect(await run.result()).toMatchObject({
      ...{ outcome: 'changed', removed: [`releaser of ${user} in prod`] },
      given: [`approver of ${user} in prod`],
    });
    expect(seen).toHaveLength(2);
    expect(seen[0]).toContain(`view of ${user}`);
    expect(seen[1]).not.toContain(`view of ${user}`);
    await rig.server.replayAndRecord(temporal(run), 'moved');
  });

  test('whose answer was lost is written once', async () => {
    let lost = 0;
    rig.server.hooks.afterCall = (activity) => {
      if (activity !== 'accessChanges.write' || lost > 0) return;
      lost += 1;
      throw new Error('the connection broke');
    };
    const { version } = await rig.server.grants.current();
    const run = await start({
      give: [{ role: 'releaser', user: 'rita@example.com', environments: ['test'] }],
    });
    expect(await run.result()).toMatchObject({
      ...{ outcome: 'changed', given: ['releaser of rita@example.com in test'] },
    });
    expect(lost).toBe(1);
    expect((await rig.server.grants.current()).version).toBe(version + 1);
  });
});

describe('policy conflicts (extension 4a)', () => {
  test('are told with the rule, both roles and the smallest ways out, and nothing is changed', async () => {
    const user = 'gast@example.com';
    await (await start({ give: [{ role: 'approver', user, environments: prod }] })).result();
    const { version } = await rig.server.grants.current();
    const run = await start({
      give: [
        { role: 'releaser', user, environments: prod },
        { role: 'releaser', user, environments: ['test'] },
      ],
    });
    const error = await errorOf(run.result());
    expect(error).toMatchObject({ code: 'ACCESS_CONFLICT', exitCode: 4 });
    expect(error.message).toContain(
      `release-and-approve: ${user} would hold approver of ${user} in prod and releaser of ${user} in prod`,
    );
    expect(error.next).toContain('Ask for one of these instead:');
    expect(error.next).toContain(`−approver of ${user}`);
    expect((await rig.server.grants.current()).version).toBe(version);
    await rig.server.replayAndRecord(temporal(run), 'conflict');
  });

  test('a role for oneself is refused, also to an admin', async () => {
    const past = await rig.server.bypassing(admin);
    const run = await past.security.manageAccess.start(
      requestOf({ give: [{ role: 'releaser', user: admin }] }),
    );
    expect(await errorOf(run.result())).toMatchObject({ code: 'PERMISSION_DENIED' });
    const own = await start({ give: [{ role: 'releaser', group: 'admins' }] });
    expect(await errorOf(own.result())).toMatchObject({
      message: expect.stringContaining('nobody-changes-their-own-access'),
    });
  });

  test('another change that came between is found at the write, and everything is put back', async () => {
    const user = 'otto@example.com';
    await (await start({ give: [{ role: 'responder', user, environments: ['test'] }] })).result();
    let isDone = false;
    rig.server.hooks.beforeCall = async (activity) => {
      const { grants, version } = await rig.server.grants.current();
      const isGiving = grants.every(
        ({ role, holder, environments }) =>
          !(
            role === 'responder' &&
            'user' in holder &&
            holder.user === user &&
            environments?.[0] === 'test'
          ),
      );
      if (activity !== 'accessChanges.write' || isDone || !isGiving) return;
      isDone = true;
      const others = {
        role: 'approver',
        holder: { user },
        environments: ['test'],
        change: 'meanwhile',
      };
      await rig.server.grants.write({
        id: 'meanwhile',
        basedOn: version,
        grants: [...grants, others],
      });
    };
    const run = await start({
      remove: [{ role: 'responder', user, environments: ['test'] }],
      give: [{ role: 'releaser', user, environments: ['test'] }],
    });
    const result = await run.result();
    expect(isDone).toBe(true);
    expect(result).toMatchObject({
      outcome: 'put-back',
      given: [],
      failure: { code: 'ACCESS_CONFLICT' },
    });
    const roles = await rolesNow(rig.server, user);
    expect(roles).toContain('responder in test');
    expect(roles).not.toContain('releaser in test');
  });

  test('a quorum that nobody can reach is refused at the start', async () => {
    const run = await start({ give: [{ role: 'admin', user: anna }] });
    const error = await errorOf(run.result());
    expect(error).toMatchObject({ code: 'ACCESS_CONFLICT' });
    expect(error.message).toContain('2 people, and only abel@example.com may give it');
  });

  test('a change after which nobody could make the next one is refused', async () => {
    const lonely = await startAccessServer();
    const [ruth, pia] = ['ruth@example.com', 'pia@example.com'];
    const lasting = { role: 'admin', holder: { user: ruth }, change: 'seed' };
    const ending = { ...lasting, holder: { user: pia }, untilMs: Date.now() + 3_600_000 };
    await lonely.grants.write({ id: 'seed', basedOn: 0, grants: [lasting, ending] });
    lonely.folder.write('directory.yaml', { users: { [ruth]: {}, [pia]: {} } });
    const { manageAccess } = (await lonely.as(pia)).security;
    const run = await manageAccess.start(requestOf({ remove: [{ role: 'admin', user: ruth }] }));
    expect(await errorOf(run.result())).toMatchObject({
      code: 'ACCESS_CONFLICT',
      message: expect.stringContaining('last-manager: nobody could change access after it'),
    });
    expect((await lonely.grants.current()).version).toBe(1);
    await lonely.stop();
  });
});

describe('propagation failures (extension 6a)', () => {
  const user = 'pia@example.com';
  const give = [{ role: 'releaser', user, environments: prod }];

  test('that pass are tried again by themselves', async () => {
    rig.server.cluster.fail.change = { code: 'ACCESS_TARGET_UNREACHABLE', times: 2 };
    const run = await start({ give });
    expect(await run.result()).toMatchObject({ outcome: 'changed' });
    await (await start({ remove: give })).result();
  });

  test('a write that is not there when it is read back is made again', async () => {
    rig.server.cluster.loseWrites = 1;
    const run = await start({ give });
    expect(await run.result()).toMatchObject({ outcome: 'changed' });
    expect([...rig.server.cluster.ours.keys()]).toContain(`view of ${user}`);
    await (await start({ remove: give })).result();
  });

  test('that last are reported, and retry-step goes on when the target can', async () => {
    rig.server.cluster.fail.change = { code: 'ACCESS_TARGET_REFUSED', times: 1 };
    const run = await start({ give });
    const { waitingFor, targets } = await reaches(run, ({ status }) => status === 'needs-operator');
    expect(waitingFor).toMatchObject({ verbs: ['retryStep', 'skip', 'abort'] });
    expect(targets).toMatchObject([{ state: 'failed' }, { state: 'taken' }]);
    await hears(run, 'needs-operator');
    await (await handleFor(run, admin)).retryStep({ reason });
    expect(await run.result()).toMatchObject({ outcome: 'changed' });
    await (await start({ remove: give })).result();
  });

  test('that an operator leaves out end partial, with the target by name', async () => {
    rig.server.cluster.fail.change = { code: 'ACCESS_TARGET_REFUSED', times: 1 };
    const run = await start({ give });
    await reaches(run, ({ status }) => status === 'needs-operator');
    await (await handleFor(run, admin)).skip({ reason });
    expect(await run.result()).toMatchObject({
      outcome: 'partial',
      targets: [
        { target: 'cluster', state: 'failed' },
        { target: 'database', state: 'taken' },
      ],
    });
    await rig.server.replayAndRecord(temporal(run), 'partial');
    await (await start({ remove: give })).result();
  });

  test('that make an operator give it up end with everything as before', async () => {
    const before = await rig.server.grants.current();
    const cluster = [...rig.server.cluster.ours.keys()].sort();
    rig.server.cluster.fail.change = { code: 'ACCESS_TARGET_REFUSED', times: 1 };
    const run = await start({ give });
    await reaches(run, ({ status }) => status === 'needs-operator');
    await (await handleFor(run, admin)).abort({ reason });
    expect(await run.result()).toMatchObject({ outcome: 'put-back', given: [], removed: [] });
    expect((await rig.server.grants.current()).grants).toEqual(before.grants);
    expect([...rig.server.cluster.ours.keys()].sort()).toEqual(cluster);
    await rig.server.replayAndRecord(temporal(run), 'put-back');
  });
});
