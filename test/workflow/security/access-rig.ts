import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import type { ManageAccessHandle, ManageAccessRequest } from '../../../client/index.ts';
import { reaches, startAccessServer, type AccessServer } from './access-server.ts';

export const admin = 'adam@example.com';
export const anna = 'anna@example.com';
export const prod = ['prod'];
export const reason = 'because of the test';

const prefix = randomUUID().slice(0, 8);
let serial = 0;

/** A change under a name that no other one has. */
export const requestOf = (changes: Partial<ManageAccessRequest>): ManageAccessRequest => {
  serial += 1;
  return {
    change: `c-${prefix}-${String(serial)}`,
    notify: [{ log: true }],
    requestedBy: { reason },
    ...changes,
  };
};

/** An installation for the tests of a file, and what people do with it. */
export interface AccessRig {
  readonly server: AccessServer;
  start: (changes: Partial<ManageAccessRequest>, who?: string) => Promise<ManageAccessHandle>;
  /** The run as somebody else of the directory has it. */
  handleFor: (run: ManageAccessHandle, who: string) => Promise<ManageAccessHandle>;
  /** The plan that the run asks people about. */
  digestOf: (run: ManageAccessHandle) => Promise<string>;
  approve: (run: ManageAccessHandle, who?: string) => Promise<void>;
  /** Nobody waits for a notification, so that it may come after the next thing. */
  hears: (run: ManageAccessHandle, event: string) => Promise<void>;
  temporal: (run: ManageAccessHandle) => WorkflowHandle;
}

export const accessRig = (): AccessRig => {
  let server: AccessServer;
  beforeAll(async () => {
    server = await startAccessServer();
  });
  afterAll(() => server.stop());
  afterEach(() => {
    delete server.hooks.beforeCall;
    delete server.hooks.afterCall;
  });
  const handleFor: AccessRig['handleFor'] = async ({ workflowId }, who) =>
    (await server.as(who)).security.manageAccess.getHandle(workflowId);
  const digestOf: AccessRig['digestOf'] = async (run) => {
    const asks = await reaches(run, ({ waitingFor }) => waitingFor?.planDigest !== undefined);
    return asks.waitingFor?.planDigest ?? '';
  };
  return {
    get server() {
      return server;
    },
    start: async (changes, who = admin) =>
      (await server.as(who)).security.manageAccess.start(requestOf(changes)),
    handleFor,
    digestOf,
    approve: async (run, who = anna) => {
      const planDigest = await digestOf(run);
      await (await handleFor(run, who)).approve({ reason: 'read it', planDigest });
    },
    hears: async ({ workflowId }, event) => {
      const isHeard = (): boolean =>
        server.notifications.some((one) => one.workflowId === workflowId && one.event === event);
      while (!isHeard()) await delay(20);
    },
    temporal: ({ workflowId }) => server.env.client.workflow.getHandle(workflowId),
  };
};
