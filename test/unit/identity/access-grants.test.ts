import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createAccessGate,
  openAccessSettings,
  type AccessGate,
} from '../../../activities/identity/index.ts';
import type { AccessGrants } from '../../../domain/security/access-grant.ts';
import { describeAccessGrants, grantTo } from '../../conformance/access-grants.ts';
import { createInMemoryAccessGrants } from '../../fakes/in-memory-access-grants.ts';
import { createAccessFolder, type AccessFolder } from '../../setup/access-folder.ts';
import { errorOf } from '../encryption/ring-folder.ts';

describeAccessGrants('memory', async () => createInMemoryAccessGrants());

const nowMs = Date.UTC(2026, 5, 1, 12);
const managed = { roles: { operator: {}, approver: {} } };
let folder: AccessFolder;

beforeAll(() => {
  folder = createAccessFolder();
});
afterAll(() => folder.remove());

const withManaged = (content: Record<string, unknown> | undefined): string =>
  folder.write('managed.yaml', {
    directory: 'directory.yaml',
    roles: [{ role: 'releaser', groups: ['releasers'] }],
    ...(content === undefined ? {} : { managed: content }),
  });

const gateOf = (file: string, grants?: AccessGrants): AccessGate =>
  createAccessGate({
    settings: openAccessSettings(file),
    keysOf: () => {
      throw new Error('no key is asked for');
    },
    tokens: { verify: () => Promise.reject(new Error('no token is asked for')) },
    grants,
  });

const question = { action: 'deployService.setWeight', environment: 'prod', service: 'shop' };

const mayAt = async (gate: AccessGate, name: string, atMs: number): Promise<boolean> =>
  gate.permit(await gate.personNamed(name), question, atMs).then(
    () => true,
    (error: unknown) => {
      expect(error).toMatchObject({ type: 'PERMISSION_DENIED' });
      return false;
    },
  );

describe('a role that was given', () => {
  test('counts beside those of access.yaml, in its environments and until it ends', async () => {
    const grants = createInMemoryAccessGrants();
    const gate = gateOf(withManaged(managed), grants);
    expect(await mayAt(gate, 'nina@example.com', nowMs)).toBe(false);
    const given = { environments: ['prod'], untilMs: nowMs + 1_000 };
    await grants.write({ id: 'a', basedOn: 0, grants: [grantTo('nina@example.com', given)] });
    expect(await mayAt(gate, 'nina@example.com', nowMs)).toBe(true);
    expect(await gate.whoMay(question, nowMs)).toEqual(['nina@example.com']);
    expect(await gate.whoMay({ ...question, environment: 'staging' }, nowMs)).toEqual([]);
    expect(await gate.roleGrants(nowMs)).toEqual([
      { role: 'releaser', users: [], groups: ['releasers'] },
      { role: 'operator', users: ['nina@example.com'], groups: [], environments: ['prod'] },
    ]);

    // Nobody took it away: its end is enough, and also what is said about who may.
    expect(await mayAt(gate, 'nina@example.com', nowMs + 1_000)).toBe(false);
    expect(await gate.whoMay(question, nowMs + 1_000)).toEqual([]);
    expect(await gate.roleGrants(nowMs + 1_000)).toHaveLength(1);
  });

  test('to a group is its members’, and is over with the next version', async () => {
    const grants = createInMemoryAccessGrants();
    const gate = gateOf(withManaged(managed), grants);
    const toGroup = { role: 'operator', holder: { group: 'approvers' }, change: 'ops-1' };
    await grants.write({ id: 'a', basedOn: 0, grants: [toGroup] });
    expect(await gate.whoMay(question, nowMs)).toEqual(['anna@example.com', 'ci@example.com']);
    await grants.write({ id: 'b', basedOn: 1, grants: [] });
    expect(await mayAt(gate, 'anna@example.com', nowMs)).toBe(false);
  });

  test('is nothing where access.yaml does not manage roles, whatever the database holds', async () => {
    const grants = createInMemoryAccessGrants();
    await grants.write({ id: 'a', basedOn: 0, grants: [grantTo('nina@example.com')] });
    const gate = gateOf(withManaged(undefined), grants);
    expect(await mayAt(gate, 'nina@example.com', nowMs)).toBe(false);
    expect(await gate.roleGrants(nowMs)).toHaveLength(1);
    expect(await gate.knowsAllGrants()).toBe(true);
    expect(await errorOf(gate.grants())).toMatchObject({ type: 'CONFIGURATION_INVALID' });
  });

  test('cannot be known without a database, and the gate says so', async () => {
    const gate = gateOf(withManaged(managed));
    expect(await gate.knowsAllGrants()).toBe(false);
    const error = await errorOf(gate.grants());
    expect(error.message).toContain('not managed here');
    expect(error.details).toMatchObject([{ next: expect.stringContaining('DATABASE_URL') }]);
    expect(await gateOf(withManaged(managed), createInMemoryAccessGrants()).grants()).toBeDefined();
  });

  test('is read once for a decision, however many people are asked about', async () => {
    const grants = createInMemoryAccessGrants();
    let reads = 0;
    const counting = {
      ...grants,
      current: async () => {
        reads += 1;
        return grants.current();
      },
    };
    const gate = gateOf(withManaged(managed), counting);
    await mayAt(gate, 'nina@example.com', nowMs);
    expect(reads).toBe(1);
    await gate.whoMay(question, nowMs);
    expect(reads).toBe(2);
  });
});

describe('the section `managed`', () => {
  test('names files beside access.yaml, and has its defaults', async () => {
    const gate = gateOf(
      withManaged({
        ...managed,
        targets: [
          { name: 'db', postgres: { urlFile: 'db.url', roles: { operator: ['reader'] } } },
          {
            name: 'temporal',
            temporal: { claimsFile: '/etc/claims.json', permissions: { operator: ['prod:write'] } },
          },
          { name: 'k8s', kubernetes: { environment: 'prod', clusterRoles: { operator: 'edit' } } },
        ],
      }),
    );
    const { managed: read } = await gate.settings();
    expect(read?.targets).toMatchObject([
      { postgres: { urlFile: folder.pathOf('db.url'), roles: { operator: ['reader'] } } },
      { temporal: { claimsFile: '/etc/claims.json' } },
      { name: 'k8s', kubernetes: { environment: 'prod' } },
    ]);
    expect(read).toMatchObject({ separations: [], certification: { within: 1_209_600_000 } });
  });

  test.each([
    [{}, 'managed.roles'],
    [{ roles: {}, separations: [{ name: 'x', roles: ['a'] }] }, 'managed.separations[0].roles'],
    [{ roles: {}, targets: [{ name: 'db' }] }, 'managed.targets[0]'],
  ])('%j is refused by the name of the field: %s', async (content, reason) => {
    const error = await errorOf(gateOf(withManaged(content)).settings());
    expect(error).toMatchObject({ type: 'CONFIGURATION_INVALID' });
    expect(error.message).toContain(reason);
  });
});
