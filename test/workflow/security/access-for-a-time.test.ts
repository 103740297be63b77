import { describe, expect, test } from '@jest/globals';
import { errorOf } from '../../integration/client/facade-server.ts';
import { accessRig, admin, anna, prod, reason, requestOf } from './access-rig.ts';
import { reaches, rolesNow } from './access-server.ts';

const rig = accessRig();
const { start, handleFor, digestOf, approve, hears, temporal } = rig;

describe('roles for a time', () => {
  test('end by themselves, here and in every target', async () => {
    const user = 'nina@example.com';
    const run = await start({
      give: [{ role: 'releaser', user, environments: ['test'], forMs: 1_500 }],
    });
    const { endsAtMs } = await reaches(run, ({ endsAtMs: ends }) => ends !== undefined);
    expect(endsAtMs).toBeGreaterThan(0);
    expect(await run.result()).toMatchObject({
      outcome: 'changed',
      removed: [expect.stringContaining(`releaser of ${user} in test until`)],
    });
    expect((await rig.server.grants.current()).grants).not.toContainEqual(
      expect.objectContaining({ holder: { user }, environments: ['test'] }),
    );
    await rig.server.replayAndRecord(temporal(run), 'ended');
  });
});

describe('breaking glass', () => {
  const user = 'otto@example.com';
  const give = [{ role: 'operator', user, environments: prod }];

  test('needs a role that lets somebody do it', async () => {
    const nobody = await rig.server.bypassing(user);
    const run = await nobody.security.manageAccess.start(requestOf({ give, breakGlass: true }));
    expect(await errorOf(run.result())).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  test('gives the role at once, takes it away by itself, and is reviewed by somebody else', async () => {
    await (await start({ give: [{ role: 'responder', user }] })).result();
    const run = await start({ give, breakGlass: true }, user);
    await reaches(run, ({ endsAtMs }) => endsAtMs !== undefined);
    expect(await rolesNow(rig.server, user)).toContain('operator in prod');
    const planDigest = await digestOf(run);
    const own = await (
      await rig.server.bypassing(user)
    ).security.manageAccess.getHandle(run.workflowId);
    expect(await errorOf(own.approve({ reason, planDigest }))).toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    await approve(run);
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'changed',
      review: { by: `${anna}: read it`, inOrder: true, wasLate: false },
    });
    expect(await rolesNow(rig.server, user)).not.toContain('operator in prod');
    await hears(run, 'approval-wanted');
    await rig.server.replayAndRecord(temporal(run), 'broken-glass');
  });

  test('whose review is overdue is told, and stays open until somebody reviews it', async () => {
    const run = await start({ give, breakGlass: true }, user);
    await reaches(run, ({ status }) => status === 'needs-operator');
    await hears(run, 'access.review-overdue');
    expect(await rolesNow(rig.server, user)).not.toContain('operator in prod');
    const planDigest = await digestOf(run);
    const handle = await handleFor(run, anna);
    await handle.reject({ reason: 'there was no incident', planDigest });
    expect(await run.result()).toMatchObject({
      ...{ outcome: 'changed', review: { inOrder: false, wasLate: true } },
    });
    await rig.server.replayAndRecord(temporal(run), 'review-overdue');
  });

  test('can be ended early by who broke it', async () => {
    const run = await start({ give, breakGlass: true }, user);
    await reaches(run, ({ endsAtMs }) => endsAtMs !== undefined);
    await run.abort({ reason: 'it works again' });
    await approve(run);
    expect(await run.result()).toMatchObject({ outcome: 'changed', review: { inOrder: true } });
  });
});

describe('certification', () => {
  const asSchedule = async () => {
    const { change } = requestOf({});
    const args = [
      {
        change,
        certify: true,
        notify: [{ log: true }],
        requestedBy: { actor: 'schedule', reason: 'monthly' },
      },
    ];
    const { taskQueue } = await temporalTarget();
    await rig.server.env.client.workflow.start('manageAccess', {
      ...{ workflowId: `access:${change}`, taskQueue, args },
    });
    return (await rig.server.as(anna)).security.manageAccess.getHandle(change);
  };

  const temporalTarget = async (): Promise<{ taskQueue: string }> => {
    const run = await start({
      give: [{ role: 'releaser', user: 'ruth@example.com', environments: ['dev'] }],
    });
    const { taskQueue } = await temporal(run).describe();
    await run.result();
    return { taskQueue };
  };

  test('lists what everybody has, and is certified by name', async () => {
    const run = await asSchedule();
    const { after } = await reaches(run, ({ waitingFor }) => waitingFor !== undefined);
    expect(after.find(({ person }) => person === 'ruth@example.com')?.roles).toContain(
      'releaser in dev',
    );
    expect(after.find(({ person }) => person === admin)?.roles).toEqual([
      'admin in all environments, by group admins',
    ]);
    await approve(run);
    expect(await run.result()).toMatchObject({
      outcome: 'certified',
      evidence: { identities: [{ action: 'approve', actor: anna, verification: 'verified' }] },
    });
    await rig.server.replayAndRecord(temporal(run), 'certified');
  });

  test('is asked for anew when roles change meanwhile', async () => {
    const run = await asSchedule();
    const first = await digestOf(run);
    await (
      await start({ give: [{ role: 'releaser', user: 'ruth@example.com', environments: ['lab'] }] })
    ).result();
    await run.approve({ reason: 'read it', planDigest: first });
    const { waitingFor } = await reaches(
      run,
      (progress) => progress.waitingFor !== undefined && progress.planDigest !== first,
    );
    await run.approve({ reason: 'read it', planDigest: waitingFor?.planDigest ?? '' });
    expect((await run.result()).outcome).toBe('certified');
  });

  test('that is rejected is told', async () => {
    const run = await asSchedule();
    const planDigest = await digestOf(run);
    await run.reject({ reason: 'ruth has left the team', planDigest });
    expect(await run.result()).toMatchObject({ outcome: 'not-certified' });
    await hears(run, 'access.not-certified');
  });
});
