import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAccessGate, openAccessSettings } from '../../../activities/identity/index.ts';
import type { AccessGate } from '../../../activities/identity/index.ts';
import { accessActions } from '../../../contracts/access-actions.ts';
import { errorOf } from '../encryption/ring-folder.ts';
import { createAccessFolder, type AccessFolder } from '../../setup/access-folder.ts';

const nowMs = Date.UTC(2026, 5, 1, 12);
let folder: AccessFolder;

const gateOf = (file: string): AccessGate =>
  createAccessGate({
    settings: openAccessSettings(file),
    keysOf: () => {
      throw new Error('no key is asked for');
    },
    tokens: {
      verify: () => {
        throw new Error('no token is asked for');
      },
    },
  });

beforeAll(() => {
  folder = createAccessFolder({
    freezes: [
      {
        environment: 'frozen',
        from: '2026-06-01T00:00:00Z',
        until: '2026-06-02T00:00:00Z',
        reason: 'the sale',
      },
    ],
  });
});
afterAll(() => folder.remove());

const about = { environment: 'prod', service: 'shop', requestedBy: 'rita@example.com' };

/** A change of access for somebody who is not in the directory yet. */
const aboutAccess = {
  ...{ environment: 'prod', service: 'ops-4711', requestedBy: 'rita@example.com' },
  access: { users: ['new@example.com'], groups: [], isBreakGlass: false },
};

const steering = ['start', 'pause', 'resume', 'promote', 'abort', 'retryStep'];
const overriding = ['promoteFull', 'setWeight', 'skip', 'retryCompensation', 'resolveLock'];
const deciding = ['approve', 'reject'];
const changingAccess = ['changeAccess'];

const mayDo: Record<string, readonly string[]> = {
  'rita@example.com': steering,
  'omar@example.com': [...steering, ...overriding],
  'anna@example.com': deciding,
  'adam@example.com': [...steering, ...overriding, ...deciding, ...changingAccess],
  'nina@example.com': [],
  // A service may start and reject; approving is for people.
  'ci@example.com': [...steering, 'reject'],
};

describe('the default policies', () => {
  const table = Object.keys(mayDo).flatMap((name) =>
    accessActions.map((action) => ({
      ...{ name, id: action.id, about: action.about },
      isAllowed: mayDo[name]?.includes(action.verb),
    })),
  );
  test.each(table)('$name, $id: $isAllowed', async ({ name, id, isAllowed, about: what }) => {
    const gate = gateOf(folder.file);
    const question = { ...(what === 'Access' ? aboutAccess : about), action: id };
    const asked = gate.permit(await gate.personNamed(name), question, nowMs);
    if (isAllowed === true) expect((await asked).decidedBy.length).toBeGreaterThan(0);
    else expect(await errorOf(asked)).toMatchObject({ type: 'PERMISSION_DENIED' });
  });

  test('know every verb of the catalogue', () => {
    const known = new Set([...steering, ...overriding, ...deciding, ...changingAccess]);
    expect(accessActions.filter(({ verb }) => !known.has(verb))).toEqual([]);
  });

  test('let nobody approve what they asked for, not even an admin, and say by which policy', async () => {
    const gate = gateOf(folder.file);
    const adam = await gate.personNamed('adam@example.com');
    const question = { ...about, action: 'deployService.approve', requestedBy: adam.name };
    const error = await errorOf(gate.permit(adam, question, nowMs));
    expect(error.message).toContain(
      'adam@example.com may not deployService.approve on shop in prod',
    );
    expect(error.message).toContain('nobody-approves-their-own');
    expect(error.details).toMatchObject([{ next: expect.stringContaining('anna@example.com') }]);
    // Who asked is not known: that is no reason to let someone approve.
    const { requestedBy: _who, ...unknown } = question;
    expect(await errorOf(gate.permit(adam, unknown, nowMs))).toMatchObject({
      type: 'PERMISSION_DENIED',
    });
  });

  test('keep a frozen environment from new releases, but for hotfixes of operators', async () => {
    const gate = gateOf(folder.file);
    const start = { ...about, environment: 'frozen', action: 'deployService.start' };
    const rita = await gate.personNamed('rita@example.com');
    const omar = await gate.personNamed('omar@example.com');
    const error = await errorOf(gate.permit(rita, { ...start, isHotfix: true }, nowMs));
    expect(error.message).toContain('frozen: the sale');
    expect(await errorOf(gate.permit(omar, start, nowMs))).toMatchObject({
      type: 'PERMISSION_DENIED',
    });
    expect(await gate.permit(omar, { ...start, isHotfix: true }, nowMs)).toMatchObject({
      isAllowed: true,
    });
    // What is under way can always be stopped.
    expect(
      await gate.permit(rita, { ...start, action: 'deployService.abort' }, nowMs),
    ).toMatchObject({ isAllowed: true });
    expect(await gate.permit(rita, start, nowMs + 86_400_000)).toMatchObject({ isAllowed: true });
  });
});

describe('policies of an installation', () => {
  const withPolicy = (text: string, changes: Record<string, unknown> = {}): AccessGate => {
    folder.write('own.cedar', text);
    return gateOf(folder.write('own.yaml', { ...access, policies: ['own.cedar'], ...changes }));
  };
  const access = {
    directory: 'directory.yaml',
    roles: [
      { role: 'releaser', users: ['rita@example.com'], environments: ['staging'] },
      { role: 'admin', users: ['adam@example.com'] },
    ],
  };
  const start = { ...about, action: 'deployService.start' };

  test('add to the default ones: here a production release needs an approval', async () => {
    const gate = withPolicy(`@id("production-needs-approval")
forbid (principal, action in Holdfast::Action::"start", resource in Holdfast::Environment::"prod")
unless { context has approvals && context.approvals > 0 };`);
    const adam = await gate.personNamed('adam@example.com');
    const error = await errorOf(gate.permit(adam, { ...start, approvals: 0 }, nowMs));
    expect(error.message).toContain('production-needs-approval');
    expect((await gate.permit(adam, { ...start, approvals: 1 }, nowMs)).decidedBy).toEqual([
      'admins-do-everything',
    ]);
  });

  test('a role counts only in its environments', async () => {
    const gate = withPolicy('');
    const rita = await gate.personNamed('rita@example.com');
    expect(await gate.permit(rita, { ...start, environment: 'staging' }, nowMs)).toMatchObject({
      isAllowed: true,
    });
    expect(await errorOf(gate.permit(rita, start, nowMs))).toMatchObject({
      type: 'PERMISSION_DENIED',
    });
    expect(await gate.whoMay(start, nowMs)).toEqual(['adam@example.com']);
  });

  test.each([
    ['permit (principal, action, resource', 'own.cedar'],
    ['permit (principal, action, resource);', 'has no @id'],
    ['@id("frozen") permit (principal, action, resource);', 'frozen is there twice'],
    ['@id("x") permit (principal, action == Holdfast::Action::"fly", resource);', 'fly'],
    ['@id("x") permit (principal, action, resource) when { resource.owner == "me" };', 'owner'],
  ])('that cannot be meant let nobody in: %s', async (text, reason) => {
    const error = await errorOf(withPolicy(text).personNamed('adam@example.com'));
    expect(error).toMatchObject({ type: 'CONFIGURATION_INVALID' });
    expect(error.message).toContain(reason);
  });

  test('without the default ones nobody may anything that no policy permits', async () => {
    const gate = withPolicy('', { defaultPolicies: false });
    expect(await gate.whoMay(start, nowMs)).toEqual([]);
  });
});

describe('the access configuration', () => {
  const wrong: [Record<string, unknown>, string][] = [
    [{ directory: 7 }, 'directory'],
    [{ directory: 'directory.yaml', role: [] }, 'role: there is no such field'],
    [
      { directory: 'directory.yaml', roles: [{ role: 'admin' }] },
      'roles[0]: needs users or groups',
    ],
    [
      {
        directory: 'directory.yaml',
        freezes: [
          {
            environment: 'prod',
            from: '2026-06-02T00:00:00Z',
            until: '2026-06-01T00:00:00Z',
            reason: 'x',
          },
        ],
      },
      'freezes[0].until',
    ],
    [
      {
        directory: 'directory.yaml',
        issuers: [{ issuer: 'http://id.example.com', audience: 'a' }],
      },
      'must be https',
    ],
    [
      {
        directory: 'directory.yaml',
        issuers: [{ issuer: 'https://id.example.com', audience: 'a', algorithms: ['HS256'] }],
      },
      'issuers[0].algorithms[0]',
    ],
  ];
  test.each(wrong)('%j is refused by the name of the field: %s', async (content, reason) => {
    const file = folder.write('wrong.yaml', content);
    const error = await errorOf(gateOf(file).settings());
    expect(error).toMatchObject({ type: 'CONFIGURATION_INVALID' });
    expect(error.message).toContain(reason);
  });

  test('is read again: who leaves is out with the next question', async () => {
    const gate = gateOf(folder.file);
    await gate.personNamed('nina@example.com');
    folder.leave('nina@example.com');
    expect(await errorOf(gate.personNamed('nina@example.com'))).toMatchObject({
      type: 'IDENTITY_UNPROVEN',
    });
    folder.write('directory.yaml', {
      users: { 'nina@example.com': { groups: [], disabled: true } },
    });
    const error = await errorOf(gate.personNamed('nina@example.com'));
    expect(error.message).toContain('disabled');
  });
});
