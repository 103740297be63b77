import { afterAll, beforeAll } from '@jest/globals';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import {
  createOpsClient,
  OpsError,
  type DeployServiceHandle,
  type DeployServiceRequest,
  type ManageAccessRequest,
  type OpsClient,
} from '../../../client/index.ts';
import { publishedSchemas } from '../../../scripts/generate/published-schemas.ts';
import { createInMemoryBlobStore } from '../../fakes/in-memory-blob-store.ts';
import { describeDoor, type Refusal } from '../../fuzz/describe-door.ts';
import { rulesOfAccessChanges, rulesOfReleases } from '../../fuzz/rules-beyond-schemas.ts';
import type { Schema } from '../../fuzz/schema-oracle.ts';
import { manifestsOf } from '../../workflow/delivery/sample-release.ts';

/**
 * The facade on a connection to a real server that counts every call which leaves: what is refused
 * must cause none, nor a stored byte. Nobody works on the queue of these runs.
 */
let connection: Connection;
let client: Client;
let ops: OpsClient;
let calls = 0;
let blobs = 0;
const started: string[] = [];

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

const countCall = (...[options, next]: Parameters<Interceptor>) => {
  calls += 1;
  return next(options);
};

beforeAll(async () => {
  connection = await Connection.connect({
    address: process.env['HOLDFAST_TEST_TEMPORAL'] ?? '',
    interceptors: [countCall as Interceptor],
  });
  client = new Client({ connection });
  const store = createInMemoryBlobStore();
  ops = await createOpsClient({
    client,
    queuePrefix: 'nobody-works-here',
    actor: 'ana@example.com',
    blobs: {
      put: async (bytes) => {
        blobs += 1;
        return store.put(bytes);
      },
    },
  });
});

afterAll(async () => {
  await Promise.all(started.map(async (id) => client.workflow.getHandle(id).terminate()));
  await connection.close();
});

const schemaOf = (name: string): Schema => {
  const found = publishedSchemas().find((published) => published.name === name);
  if (found === undefined) throw new Error(`there is no schema ${name}`);
  return found.schema;
};

const without = (schema: Schema, ...names: string[]): Schema => ({
  ...schema,
  required: (schema.required ?? []).filter((name) => !names.includes(name)),
});

/** The contract's input as callers write it: the facade stores the manifests and fills in the rest. */
const requestSchema = (): Schema => {
  const schema = without(
    schemaOf('deploy-service.input'),
    ...['manifestsDigest', 'release', 'requestedBy'],
  );
  const { manifestsDigest: _, requestedBy = {}, ...properties } = schema.properties ?? {};
  const asker = without(requestedBy, 'actor', 'reason');
  return { ...schema, properties: { ...properties, requestedBy: asker } };
};

const refusalOf = (error: unknown): Refusal => {
  if (error instanceof OpsError) return { code: error.code, text: error.message };
  return { code: undefined, text: String(error) };
};

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

describeDoor('a request to deployService', {
  schema: requestSchema(),
  rules: rulesOfReleases,
  refusesWith: 'INVALID_INPUT',
  // One release has one run.
  identityOf: (value) => {
    const { environment, service, release } = value as Record<string, string | undefined>;
    return [environment, service, release].join(' ');
  },
  passed: () => calls + blobs,
  offer: async (value) => {
    const request = isObject(value) ? { ...value, manifests: manifestsOf('1') } : value;
    try {
      const run = await ops.delivery.deployService.start(request as DeployServiceRequest);
      if (!run.started) return { code: 'NOT_STARTED', text: run.workflowId };
      started.push(run.workflowId);
      return undefined;
    } catch (error) {
      return refusalOf(error);
    }
  },
});

/** The client says who asks, and why where the caller does not. */
const changeSchema = (): Schema => {
  const schema = without(schemaOf('manage-access.input'), 'requestedBy');
  const { requestedBy = {}, ...properties } = schema.properties ?? {};
  const asker = without(requestedBy, 'actor', 'reason');
  return { ...schema, properties: { ...properties, requestedBy: asker } };
};

describeDoor('a request to manageAccess', {
  schema: changeSchema(),
  rules: rulesOfAccessChanges,
  drawn: 6_000,
  refusesWith: 'INVALID_INPUT',
  // One change has one run.
  identityOf: (value) => String((value as Record<string, unknown>)['change']),
  passed: () => calls + blobs,
  offer: async (value) => {
    try {
      const run = await ops.security.manageAccess.start(value as ManageAccessRequest);
      if (!run.started) return { code: 'NOT_STARTED', text: run.workflowId };
      started.push(run.workflowId);
      return undefined;
    } catch (error) {
      return refusalOf(error);
    }
  },
});

/** The run is not there, which only the server can say: the message has left. */
const sent = async (send: () => Promise<unknown>): Promise<Refusal | undefined> => {
  try {
    await send();
    return { code: 'NOT_SENT', text: 'a run that is not there has answered' };
  } catch (error) {
    const refusal = refusalOf(error);
    return refusal.code === 'RUN_NOT_FOUND' ? undefined : refusal;
  }
};

type Send = (run: DeployServiceHandle, options: never) => Promise<unknown>;

const messages: readonly { schema: string; what: string; send: Send }[] = [
  { schema: 'message', what: 'pause', send: async (run, options) => run.pause(options) },
  { schema: 'plan-decision', what: 'approve', send: async (run, options) => run.approve(options) },
  {
    schema: 'weight-request',
    what: 'setWeight',
    send: async (run, options) => run.setWeight(options),
  },
  {
    schema: 'lock-resolution',
    what: 'resolveLock',
    send: async (_, options) => ops.services.resolveLock('nowhere', 'nothing', options),
  },
];

for (const { schema: name, what, send } of messages) {
  describeDoor(`the message ${what}`, {
    // The client knows who asks.
    schema: without(schemaOf(name), 'actor'),
    rules: [],
    refusesWith: 'INVALID_INPUT',
    passed: () => calls + blobs,
    offer: async (value) => {
      const run = await ops.delivery.deployService.getHandle('deploy:nowhere:nothing:1');
      return sent(async () => send(run, value as never));
    },
  });
}
