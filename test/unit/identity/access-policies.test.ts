import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openAccessGate, type AccessGate } from '../../../activities/identity/index.ts';
import { accessActions } from '../../../contracts/access-actions.ts';
import {
  everywhere,
  type AccessQuestion,
  type PermissionQuestion,
} from '../../../domain/security/permission.ts';
import { accessFile, createAccessFolder, type AccessFolder } from '../../setup/access-folder.ts';
import { errorOf } from '../encryption/ring-folder.ts';

const nowMs = Date.UTC(2026, 5, 1, 12);
let folder: AccessFolder;
let gate: AccessGate;

beforeAll(() => {
  folder = createAccessFolder({
    roles: [
      ...accessFile.roles,
      { role: 'responder', users: ['nina@example.com'], environments: ['prod'] },
      { role: 'admin', users: ['petra@example.com'], environments: ['prod'] },
    ],
    freezes: [
      {
        environment: 'prod',
        from: '2026-06-01T00:00:00Z',
        until: '2026-06-02T00:00:00Z',
        reason: 'the sale',
      },
    ],
  });
  folder.write('directory.yaml', {
    users: {
      'rita@example.com': { groups: ['releasers'] },
      'omar@example.com': { groups: ['operators'] },
      'anna@example.com': { groups: ['approvers'] },
      'adam@example.com': { groups: ['admins'] },
      'petra@example.com': { groups: ['shop team'] },
      'nina@example.com': { groups: [] },
    },
  });
  gate = openAccessGate(folder.file);
});
afterAll(() => folder.remove());

const changeFor = (
  access: Partial<AccessQuestion>,
  changes: Partial<PermissionQuestion> = {},
): PermissionQuestion => ({
  ...{ action: 'manageAccess.start', environment: 'prod', service: 'ops-4711' },
  requestedBy: 'rita@example.com',
  ...changes,
  access: { users: ['new@example.com'], groups: [], isBreakGlass: false, ...access },
});

/** By which policies someone may, or may not; `none` where no policy is about it. */
const answerTo = async (name: string, question: PermissionQuestion): Promise<string> => {
  const asked = gate.permit(await gate.personNamed(`${name}@example.com`), question, nowMs);
  return asked.then(
    ({ decidedBy }) => `yes: ${decidedBy.join(', ')}`,
    (error: unknown) => {
      const { type, message } = error as { type: string; message: string };
      if (type !== 'PERMISSION_DENIED') throw error;
      return `no: ${/forbidden by the (?:policy|policies) ([a-z, -]+)\./.exec(message)?.[1] ?? 'none'}`;
    },
  );
};

const own = 'nobody-changes-their-own-access';
const ownDecision = 'nobody-decides-about-their-own-access';
const admins = 'yes: admins-do-everything';

describe('a change of access', () => {
  const steering = accessActions.filter(({ verb }) => verb === 'changeAccess').map(({ id }) => id);

  test('is started and steered by admins alone', async () => {
    expect(steering).toEqual(
      ['start', 'retryStep', 'skip', 'abort'].map((verb) => `manageAccess.${verb}`),
    );
    for (const action of steering) {
      for (const name of ['rita', 'omar', 'anna', 'nina']) {
        expect(await answerTo(name, changeFor({}, { action }))).toBe('no: none');
      }
      expect(await answerTo('adam', changeFor({}, { action }))).toBe(admins);
    }
  });

  test('by someone with a role in one environment is for that one', async () => {
    expect(await answerTo('petra', changeFor({}))).toBe(admins);
    for (const environment of ['staging', everywhere]) {
      expect(await answerTo('petra', changeFor({}, { environment }))).toBe('no: none');
    }
    expect(await answerTo('adam', changeFor({}, { environment: everywhere }))).toBe(admins);
  });

  test('nobody-changes-their-own-access, by name or by a group, in any step', async () => {
    for (const action of steering) {
      for (const access of [{ users: ['adam@example.com'] }, { groups: ['admins'] }]) {
        expect(await answerTo('adam', changeFor(access, { action }))).toBe(`no: ${own}`);
      }
      // Others of the same role may.
      expect(await answerTo('petra', changeFor({ groups: ['admins'] }, { action }))).toBe(admins);
    }
  });

  test('nobody-decides-about-their-own-access; to reject it is another matter', async () => {
    const approve = { action: 'manageAccess.approve' };
    const reject = { action: 'manageAccess.reject' };
    expect(await answerTo('anna', changeFor({}, approve))).toBe('yes: approvers-decide');
    for (const access of [{ users: ['anna@example.com'] }, { groups: ['approvers'] }]) {
      for (const isBreakGlass of [false, true]) {
        const asked = { ...access, isBreakGlass };
        expect(await answerTo('anna', changeFor(asked, approve))).toBe(`no: ${ownDecision}`);
        expect(await answerTo('anna', changeFor(asked, reject))).toBe('yes: approvers-decide');
      }
    }
    expect(await answerTo('adam', changeFor({ groups: ['admins'] }, approve))).toBe(
      `no: ${ownDecision}`,
    );
  });

  test('is not approved by who asked for it, nor by who only operates', async () => {
    const approve = { action: 'manageAccess.approve' };
    const asked = { ...approve, requestedBy: 'anna@example.com' };
    expect(await answerTo('anna', changeFor({}, asked))).toBe('no: nobody-approves-their-own');
    expect(await answerTo('omar', changeFor({}, approve))).toBe('no: none');
  });

  test('responders-break-glass: they take a role at once, also for themselves, may end it, and nothing else', async () => {
    const taken = { users: ['nina@example.com'], isBreakGlass: true };
    expect(await answerTo('nina', changeFor(taken))).toBe('yes: responders-break-glass');
    expect(await answerTo('nina', changeFor({ isBreakGlass: true }))).toBe(
      'yes: responders-break-glass',
    );
    expect(await answerTo('nina', changeFor({ users: ['nina@example.com'] }))).toBe(`no: ${own}`);
    expect(await answerTo('nina', changeFor(taken, { environment: 'staging' }))).toBe('no: none');
    const ended = changeFor(taken, { action: 'manageAccess.abort' });
    expect(await answerTo('nina', ended)).toBe('yes: responders-break-glass');
    const others = steering.filter((id) => !/\.(?:start|abort)$/.test(id));
    for (const action of others) {
      expect(await answerTo('nina', changeFor(taken, { action }))).toBe(`no: ${own}`);
      expect(await answerTo('nina', changeFor({ isBreakGlass: true }, { action }))).toBe(
        'no: none',
      );
    }
    expect(await answerTo('nina', changeFor(taken, { action: 'manageAccess.approve' }))).toBe(
      `no: ${ownDecision}`,
    );
    for (const name of ['rita', 'omar', 'anna']) {
      expect(await answerTo(name, changeFor(taken))).toBe('no: none');
    }
  });

  test('that is refused is told without an environment, with whom to ask and what to run', async () => {
    const groups = ["the shop's team"];
    const question = changeFor({ groups, isBreakGlass: true }, { environment: everywhere });
    const rita = await gate.personNamed('rita@example.com');
    const error = await errorOf(gate.permit(rita, question, nowMs));
    expect(error.message).toBe(
      'rita@example.com may not manageAccess.start on the access change ops-4711: no policy permits it. Nothing was changed.',
    );
    const check =
      "holdfast access check manageAccess.start -e '*' --service ops-4711 --for new@example.com --for-groups 'the shop'\\''s team' --break-glass";
    expect(error.details).toMatchObject([
      { next: `Ask adam@example.com, who may; \`${check}\` tells why.` },
    ]);
    // A freeze is about releases.
    const inProd = await errorOf(gate.permit(rita, changeFor({}), nowMs));
    expect(inProd.message).not.toContain('frozen');
  });

  test('is no release: without a word on whom it is for there is no answer, and so no permission', async () => {
    const adam = await gate.personNamed('adam@example.com');
    const { access: _whom, ...unknown } = changeFor({});
    expect(await errorOf(gate.permit(adam, unknown, nowMs))).toMatchObject({
      type: 'CONFIGURATION_INVALID',
    });
    const release = changeFor({}, { action: 'deployService.start' });
    expect(await errorOf(gate.permit(adam, release, nowMs))).toMatchObject({
      type: 'CONFIGURATION_INVALID',
    });
  });
});

describe('policies that were written about releases', () => {
  const withPolicy = (text: string): AccessGate => {
    folder.write('own.cedar', text);
    const content = { ...accessFile, policies: ['own.cedar'] };
    return openAccessGate(folder.write('own.yaml', content));
  };

  test.each([
    'forbid (principal, action, resource) when { resource.frozen && !context.hotfix };',
    'forbid (principal, action in Holdfast::Action::"approve", resource) when { resource.name == "till" };',
    'forbid (principal, action in Holdfast::Action::"start", resource in Holdfast::Environment::"prod") unless { context has approvals && context.approvals > 0 };',
    'forbid (principal, action in [Holdfast::Action::"approve", Holdfast::Action::"reject"], resource) when { context has requestedBy && context.requestedBy == principal };',
  ])('can be used as before: %s', async (text) => {
    const own = withPolicy(`@id("own") ${text}`);
    const adam = await own.personNamed('adam@example.com');
    const question = changeFor({}, { action: 'manageAccess.approve' });
    expect(await own.permit(adam, question, nowMs)).toMatchObject({ isAllowed: true });
  });

  test('let nobody change access by the names of their verbs', async () => {
    const own = withPolicy(`@id("interns-too")
permit (
  principal == Holdfast::User::"nina@example.com",
  action in [Holdfast::Action::"start", Holdfast::Action::"abort", Holdfast::Action::"skip", Holdfast::Action::"retryStep"],
  resource
);`);
    const nina = await own.personNamed('nina@example.com');
    const release = { action: 'deployService.start', environment: 'prod', service: 'shop' };
    expect(await own.permit(nina, release, nowMs)).toMatchObject({ decidedBy: ['interns-too'] });
    expect(await errorOf(own.permit(nina, changeFor({}), nowMs))).toMatchObject({
      type: 'PERMISSION_DENIED',
    });
  });
});
