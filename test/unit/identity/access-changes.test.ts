import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import {
  createAccessChanges,
  openAccessGate,
  type AccessGate,
} from '../../../activities/identity/index.ts';
import type { AccessChanges, AccessWrite } from '../../../activities/identity/port.ts';
import { createCaller } from '../../../client/caller.ts';
import { readSurroundings } from '../../../client/config.ts';
import { changeOf } from '../../../domain/security/access-change.ts';
import type { AccessGrants } from '../../../domain/security/access-grant.ts';
import { createInMemoryAccessGrants } from '../../fakes/in-memory-access-grants.ts';
import { createAccessFolder, type AccessFolder } from '../../setup/access-folder.ts';
import { managed } from '../../workflow/security/access-server.ts';
import { errorOf } from '../encryption/ring-folder.ts';

const [admin, anna, rita] = ['adam@example.com', 'anna@example.com', 'rita@example.com'];
const place = { workflowId: 'access:c-1', runId: 'run-1' };

let folder: AccessFolder;
let gate: AccessGate;
let grants: AccessGrants;
let changes: AccessChanges;
let keys: Map<string, string>;

beforeAll(async () => {
  folder = createAccessFolder({ managed });
  keys = new Map();
  for (const holder of [admin, anna, rita]) keys.set(holder, (await folder.keyFor(holder)).text);
});
afterAll(() => folder.remove());

beforeEach(() => {
  grants = createInMemoryAccessGrants();
  gate = openAccessGate(folder.file, { grants });
  changes = createAccessChanges({ gate, record: async () => Promise.resolve() });
});

const request = {
  ...{ change: 'c-1', remove: [], breakGlass: false, certify: false, notify: [] },
  give: [{ role: 'operator', user: rita, environments: ['prod'], forMs: 60_000 }],
};

/** What somebody signs, as the facade sends it. */
const signed = async (by = admin, content: Record<string, unknown> = request) => {
  const input = { ...content, requestedBy: { actor: by, reason: 'because of the test' } };
  const proof = await prove(by, { action: 'manageAccess.start', content: input });
  return { ...input, requestedBy: { ...input.requestedBy, proof } };
};

const prove = async (
  by: string,
  draft: { action: string; content: unknown; planDigest?: string; runId?: string },
): Promise<string> => {
  const surroundings = { ...readSurroundings({}), accessKey: keys.get(by) };
  const caller = await createCaller({ surroundings, namedActor: undefined });
  return (await caller.prove({ workflowId: place.workflowId, ...draft })) ?? '';
};

const approvedBy = async (by: string, planDigest: string, runId = place.runId) => {
  const message = { actor: by, reason: 'read it', planDigest };
  const proof = await prove(by, {
    action: 'manageAccess.approve',
    content: message,
    planDigest,
    runId,
  });
  return { message: { ...message, proof }, takenAtMs: Date.now() };
};

const planOf = async (): Promise<string> => {
  const requestedBy = { actor: admin, reason: 'because of the test' };
  const change = changeOf({ ...request, requestedBy });
  return (await changes.plan({ change })).planDigest;
};

/** As a run of this id has it carried out; the server tells which run that is. */
const writeAs = async (
  parts: Partial<AccessWrite['warrant']> & { request: unknown },
  write: Partial<Omit<AccessWrite, 'warrant'>> = {},
  run = place,
) => {
  const environment = new MockActivityEnvironment({ workflowExecution: run });
  const asks: AccessWrite = {
    ...{ phase: 'give', change: 'c-1', planDigest: await planOf() },
    ...write,
    warrant: { startedAtMs: Date.now(), approvals: [], ...parts },
  };
  return environment.run(async (asked: AccessWrite) => changes.write(asked), asks);
};

const nothingIsWritten = async (attempt: Promise<unknown>, code: string): Promise<void> => {
  expect(await errorOf(attempt)).toMatchObject({ type: code });
  expect(await grants.current()).toEqual({ version: 0, grants: [] });
};

describe('a write of roles that somebody else’s workflow asks for', () => {
  test('with the signed request and the approval is made, once', async () => {
    const parts = { request: await signed(), approvals: [await approvedBy(anna, await planOf())] };
    expect(await writeAs(parts)).toMatchObject({ version: 1 });
    expect(await writeAs(parts)).toMatchObject({
      version: 1,
      given: [expect.stringContaining(rita)],
    });
    expect((await grants.current()).version).toBe(1);
  });

  test('with a request that another run was carried out for is refused', async () => {
    const parts = { request: await signed(), approvals: [await approvedBy(anna, await planOf())] };
    await writeAs(parts);
    await writeAs(parts, { phase: 'end' });
    const later = { ...place, runId: 'run-2' };
    const approvals = [await approvedBy(anna, await planOf(), 'run-2')];
    const again = writeAs({ ...parts, approvals }, {}, later);
    expect(await errorOf(again)).toMatchObject({ type: 'IDENTITY_UNPROVEN' });
    expect(await grants.current()).toEqual({ version: 2, grants: [] });
  });

  test('with a request that nobody signed is refused', async () => {
    const { requestedBy, ...rest } = await signed();
    const { proof: _, ...unsigned } = requestedBy;
    await nothingIsWritten(
      writeAs({ request: { ...rest, requestedBy: unsigned } }),
      'IDENTITY_UNPROVEN',
    );
  });

  test('with another role than the one that was signed for is refused', async () => {
    const input = await signed();
    const give = [{ role: 'admin', user: rita, environments: ['prod'] }];
    await nothingIsWritten(writeAs({ request: { ...input, give } }), 'IDENTITY_UNPROVEN');
  });

  test('with a request that somebody signed who may not is refused', async () => {
    await nothingIsWritten(writeAs({ request: await signed(anna) }), 'PERMISSION_DENIED');
  });

  test('without the approval that the role needs is refused', async () => {
    await nothingIsWritten(writeAs({ request: await signed() }), 'APPROVAL_MISSING');
  });

  test('with an approval of another run is refused', async () => {
    const approvals = [await approvedBy(anna, await planOf(), 'run-0')];
    await nothingIsWritten(writeAs({ request: await signed(), approvals }), 'IDENTITY_UNPROVEN');
  });

  test('with an approval by who gains is refused', async () => {
    const approvals = [await approvedBy(rita, await planOf())];
    await nothingIsWritten(writeAs({ request: await signed(), approvals }), 'PERMISSION_DENIED');
  });

  test('under the id of another change is refused', async () => {
    const other = { ...place, workflowId: 'access:c-2' };
    await nothingIsWritten(writeAs({ request: await signed() }, {}, other), 'IDENTITY_UNPROVEN');
  });

  test('that takes back what its run never wrote takes nothing back', async () => {
    const given = { role: 'releaser', holder: { user: anna }, change: 'c-1' };
    await grants.write({ id: 'seed', basedOn: 0, grants: [given] });
    const unsigned = { ...request, requestedBy: { actor: admin, reason: 'x' } };
    const written = await writeAs({ request: unsigned }, { phase: 'put back' });
    expect(written).toEqual({ version: 1, given: [], removed: [] });
    expect((await grants.current()).grants).toEqual([given]);
  });
});

describe('where nobody has to prove who they are', () => {
  test('access is not managed', async () => {
    const open = createAccessChanges({ gate: undefined, record: async () => Promise.resolve() });
    const change = changeOf({ ...request, requestedBy: { actor: admin, reason: 'x' } });
    expect(await errorOf(open.plan({ change }))).toMatchObject({ type: 'CONFIGURATION_INVALID' });
  });

  test('nor where access.yaml manages nothing', async () => {
    const plain = createAccessFolder();
    const open = createAccessChanges({
      gate: openAccessGate(plain.file, { grants }),
      record: async () => Promise.resolve(),
    });
    const change = changeOf({ ...request, requestedBy: { actor: admin, reason: 'x' } });
    expect(await errorOf(open.plan({ change }))).toMatchObject({ type: 'CONFIGURATION_INVALID' });
    plain.remove();
  });
});
