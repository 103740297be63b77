import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createOpsClient, type ManageAccessHandle, type OpsClient } from '../../../client/index.ts';
import type { UpdateName } from '../../../contracts/messages.ts';
import { manageAccess } from '../../../contracts/security/manage-access.ts';
import { accessFile, users } from '../../setup/access-folder.ts';
import {
  rolesNow,
  startAccessServer,
  type AccessServer,
} from '../../workflow/security/access-server.ts';
import { refusalOf } from './access-server.ts';
import { errorOf } from './facade-server.ts';
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
  stuckAtTarget,
  waitingForApproval,
} from './waiting-access.ts';

let server: AccessServer;

beforeAll(async () => {
  server = await startAccessServer(approvedOperators);
  // Where nobody were left to approve it, a change would not even wait.
  server.folder.write('directory.yaml', {
    users: { ...users, [guest]: {}, 'olga@example.com': { groups: ['approvers'] } },
  });
}, 60_000);
afterAll(async () => server.stop());

/**
 * Someone whose side knows all roles, so that it refuses before anything is sent: where roles are
 * given and it cannot read them, the run alone decides.
 */
const informed = async (name: string): Promise<OpsClient> =>
  createOpsClient({
    client: server.env.client,
    access: {
      accessFile: server.folder.write('informed.yaml', accessFile),
      accessKey: (await server.folder.keyFor(name)).text,
      databaseUrl: undefined,
    },
  });

interface Situation {
  name: string;
  verbs: readonly UpdateName[];
  reach: (server: AccessServer) => Promise<ManageAccessHandle>;
}

const situations: Situation[] = [
  {
    name: 'a change that waits for its approval',
    verbs: ['approve', 'reject', 'abort'],
    reach: waitingForApproval,
  },
  {
    name: 'a change that a target does not take',
    verbs: ['retryStep', 'skip'],
    reach: stuckAtTarget,
  },
];

const digestOf = async (run: ManageAccessHandle): Promise<string> =>
  (await run.progress()).waitingFor?.planDigest ?? '';

const contentFor = async (run: ManageAccessHandle, verb: UpdateName) =>
  verb === 'approve' || verb === 'reject'
    ? { reason, planDigest: await digestOf(run) }
    : { reason };

const updatesIn = async (run: ManageAccessHandle): Promise<number> => {
  const { events } = await plainOf(server, run).fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)
    .length;
};

const sendByName = async (run: ManageAccessHandle, verb: UpdateName, content: object) =>
  (run as unknown as Record<string, (message: object) => Promise<unknown>>)[verb]?.(content);

describe('who may not change access', () => {
  test('is refused every verb of it by one of the tests here', () => {
    const here = situations.flatMap(({ verbs }) => verbs);
    expect(here.sort()).toEqual([...manageAccess.messages].sort());
  });

  test.each([
    ['has no role', guest, 'no policy permits it'],
    ['may only release', rita, 'no policy permits it'],
  ])('someone who %s starts nothing, neither by the facade nor past it', async (_, name, why) => {
    const request = changeOf({ role: 'releaser' });
    const refused = await errorOf((await informed(name)).security.manageAccess.start(request));
    expect(refused).toMatchObject({ code: 'PERMISSION_DENIED', exitCode: 77 });
    expect(refused.message).toContain(
      `${name} may not manageAccess.start on the access change ${request.change}: ${why}`,
    );
    const workflowId = `access:${request.change}`;
    await expect(plainOf(server, { workflowId }).describe()).rejects.toThrow();

    const past = await server.bypassing(name);
    const run = await past.security.manageAccess.start(request);
    expect(await errorOf(run.result())).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(await rolesNow(server, nina)).toEqual([]);
  });

  test('nobody gives a role to themselves, neither by the facade nor past it', async () => {
    const request = changeOf({ role: 'releaser', user: adam });
    const refused = await errorOf((await informed(adam)).security.manageAccess.start(request));
    expect(refused.message).toContain('nobody-changes-their-own-access');
    const run = await (await server.bypassing(adam)).security.manageAccess.start(request);
    expect(await errorOf(run.result())).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(await rolesNow(server, adam)).toEqual([]);
  });

  test.each(situations)(
    '$name is not moved by them, neither by the facade nor past it',
    async ({ verbs, reach }) => {
      const run = await reach(server);
      const strangers = await informed(guest);
      const past = await server.bypassing(guest);
      for (const verb of verbs) {
        const content = await contentFor(run, verb);
        const before = await updatesIn(run);
        const facade = await strangers.security.manageAccess.getHandle(run.workflowId);
        expect(await errorOf(sendByName(facade, verb, content))).toMatchObject({
          code: 'PERMISSION_DENIED',
          message: expect.stringContaining(`manageAccess.${verb}`),
        });
        expect(await updatesIn(run)).toBe(before);

        const signed = await (
          await past.security.manageAccess.getHandle(run.workflowId)
        ).sign(verb, content);
        const send = async (message: unknown) =>
          plainOf(server, run).executeUpdate<unknown, [unknown]>(verb, { args: [message] });
        expect(await refusalOf(send(signed))).toMatchObject({ code: 'PERMISSION_DENIED' });
        const unsigned = { ...content, actor: adam };
        expect(await refusalOf(send(unsigned))).toMatchObject({ code: 'IDENTITY_UNPROVEN' });
        expect(await updatesIn(run)).toBe(before + 2);
      }
      expect(JSON.stringify(await run.evidence())).not.toContain(guest);
      await plainOf(server, run).terminate('the test has seen enough');
    },
  );

  test('approves neither what they asked for nor what is for them', async () => {
    const run = await waitingForApproval(server, changeOf({ user: anna }));
    for (const [name, policy] of [
      [adam, 'nobody-approves-their-own'],
      [anna, 'nobody-decides-about-their-own-access'],
    ] as const) {
      const content = { reason, planDigest: await digestOf(run) };
      const facade = await (await informed(name)).security.manageAccess.getHandle(run.workflowId);
      expect((await errorOf(facade.approve(content))).message).toContain(policy);
      const past = await (
        await server.bypassing(name)
      ).security.manageAccess.getHandle(run.workflowId);
      expect(await errorOf(past.approve(content))).toMatchObject({ code: 'PERMISSION_DENIED' });
    }
    expect(await rolesNow(server, anna)).toEqual([]);
    await plainOf(server, run).terminate('the test has seen enough');
  });
});

describe('a write that a workflow of somebody else asks for', () => {
  /** The code with which it was refused. */
  const refusalOfWrite = async (
    queues: string,
    workflowId: string,
    request: unknown,
  ): Promise<unknown> => {
    const { client, nativeConnection, namespace } = server.env;
    const taskQueue = `rogue-${queues}`;
    const worker = await Worker.create({
      connection: nativeConnection,
      namespace: namespace ?? 'default',
      taskQueue,
      workflowsPath: fileURLToPath(new URL('rogue-workflow.ts', import.meta.url)),
    });
    const written = client.workflow.execute<(queue: string, request: unknown) => Promise<unknown>>(
      'rogueGrant',
      { ...{ workflowId, taskQueue }, args: [`${queues}-kubernetes`, request] },
    );
    const failure: unknown = await worker.runUntil(
      written.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    return (
      (failure as { cause?: { cause?: { type?: string } } } | undefined)?.cause?.cause?.type ??
      'none'
    );
  };

  test('gives only what was asked for under a signature, and approved for that run', async () => {
    const run = await waitingForApproval(server);
    const request = (await run.input()) as { change: string; give: { role: string }[] };
    const planDigest = await digestOf(run);
    const message = { actor: anna, reason, planDigest };
    const signed = await (
      await (await server.bypassing(anna)).security.manageAccess.getHandle(run.workflowId)
    ).sign('approve', message);
    await plainOf(server, run).terminate('to make room for the same name');
    const queues = await queuePrefixOf(server);
    const before = await server.grants.current();

    const startedAtMs = Date.now();
    const approvals = [{ message: signed, takenAtMs: startedAtMs }];
    const more = { ...request, give: [{ ...request.give[0], role: 'admin' }] };
    const phases: [string, object, string][] = [
      ['give', {}, 'IDENTITY_UNPROVEN'],
      ['give', { request: more, startedAtMs, approvals }, 'IDENTITY_UNPROVEN'],
      ['give', { request, startedAtMs, approvals: [] }, 'APPROVAL_MISSING'],
      ['give', { request, startedAtMs, approvals }, 'IDENTITY_UNPROVEN'],
      // Taken back is what this run has written, and that is nothing.
      ['put back', { request, startedAtMs, approvals }, 'none'],
    ];
    const codes = [];
    for (const [phase, warrant] of phases) {
      const write = { phase, change: request.change, planDigest, warrant };
      codes.push(await refusalOfWrite(queues, run.workflowId, write));
    }
    expect(codes).toEqual(phases.map(([, , code]) => code));
    expect(await server.grants.current()).toEqual(before);
  });
});
