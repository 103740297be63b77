import { describe, expect, test } from '@jest/globals';
import { errorOf } from '../../integration/client/facade-server.ts';
import { accessRig, admin, anna, prod, reason } from './access-rig.ts';
import { reaches, rolesNow } from './access-server.ts';

const rig = accessRig();
const { start, handleFor, digestOf, approve, temporal } = rig;

describe('sensitive changes (extension 7a)', () => {
  const user = 'rita@example.com';
  const give = [{ role: 'operator', user, environments: prod, forMs: 600_000 }];

  test('wait for somebody who neither asked nor gains', async () => {
    const run = await start({ give });
    const planDigest = await digestOf(run);
    expect(await rolesNow(rig.server, user)).not.toContain('operator in prod');
    const own = await rig.server.bypassing(admin);
    const asker = await own.security.manageAccess.getHandle(run.workflowId);
    expect(await errorOf(asker.approve({ reason, planDigest }))).toMatchObject({
      ...{
        code: 'PERMISSION_DENIED',
        message: expect.stringContaining('nobody-approves-their-own'),
      },
    });
    const gaining = await (
      await rig.server.bypassing(user)
    ).security.manageAccess.getHandle(run.workflowId);
    expect(await errorOf(gaining.approve({ reason, planDigest }))).toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    await approve(run);
    await reaches(run, ({ stages }) =>
      stages.some(({ name, status }) => name === 'granted until' && status === 'running'),
    );
    expect(await rolesNow(rig.server, user)).toContain('operator in prod');
    expect([...rig.server.database.ours.keys()]).toContain(`shop:write of ${user}`);
    await (await handleFor(run, admin)).abort({ reason: 'the shift is over' });
    expect(await run.result()).toMatchObject({ outcome: 'changed' });
    expect(await rolesNow(rig.server, user)).not.toContain('operator in prod');
    expect([...rig.server.database.ours.keys()]).not.toContain(`shop:write of ${user}`);
    await rig.server.replayAndRecord(temporal(run), 'approved-and-ended-early');
  });

  test('are refused where somebody rejects them', async () => {
    const run = await start({ give });
    const planDigest = await digestOf(run);
    const handle = await handleFor(run, anna);
    await handle.reject({ reason: 'not this week', planDigest });
    expect(await errorOf(run.result())).toMatchObject({ code: 'APPROVAL_REJECTED' });
    expect(await rolesNow(rig.server, user)).not.toContain('operator in prod');
  });

  test('are refused where nobody answers in time', async () => {
    const run = await start({ give: [{ role: 'admin', user: 'ruth@example.com' }] });
    expect(await errorOf(run.result())).toMatchObject({ code: 'APPROVAL_EXPIRED' });
    expect(await rolesNow(rig.server, 'ruth@example.com')).not.toContain('admin in *');
  });

  test('are given up before they are approved, and nothing was changed', async () => {
    const run = await start({ give });
    await digestOf(run);
    await (await handleFor(run, admin)).abort({ reason });
    expect(await errorOf(run.result())).toMatchObject({ code: 'ABORTED' });
  });

  test('an approval of another plan is refused', async () => {
    const run = await start({ give });
    await digestOf(run);
    const other = `sha256:${'0'.repeat(64)}`;
    const anothers = await handleFor(run, anna);
    expect(await errorOf(anothers.approve({ reason, planDigest: other }))).toMatchObject({
      code: 'MESSAGE_REFUSED',
    });
    await temporal(run).terminate();
  });

  test('are not written where who approved has left before the write', async () => {
    let hasLeft = false;
    const directory = { users: {} as Record<string, unknown> };
    for (const [name, person] of (await rig.server.gate.settings()).users) {
      if (name !== anna) directory.users[name] = { kind: person.kind, groups: person.groups };
    }
    rig.server.hooks.beforeCall = (activity) => {
      if (activity !== 'accessChanges.write' || hasLeft) return;
      hasLeft = true;
      rig.server.folder.write('directory.yaml', directory);
    };
    const run = await start({ give });
    await approve(run);
    const error = await errorOf(run.result());
    expect(error).toMatchObject({ code: 'IDENTITY_UNPROVEN' });
    expect(await rolesNow(rig.server, user)).not.toContain('operator in prod');
    directory.users[anna] = { groups: ['approvers'] };
    rig.server.folder.write('directory.yaml', directory);
  });
});
