import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { createContracts } from '../../../activities/contracts/index.ts';
import {
  createAccessChanges,
  createAccessTargets,
  createVerifiedIdentity,
  openAccessGate,
  type AccessGate,
} from '../../../activities/identity/index.ts';
import type { VerifyRequest } from '../../../activities/identity/port.ts';
import type { Notification } from '../../../activities/notify/port.ts';
import { createOpsClient, type ManageAccessHandle, type OpsClient } from '../../../client/index.ts';
import type { ManageAccessProgress } from '../../../contracts/security/manage-access.ts';
import type { AccessGrants } from '../../../domain/security/access-grant.ts';
import type { AuditEntry } from '../../../domain/security/audit-record.ts';
import { taskQueueOf } from '../../../domain/shared/task-queue.ts';
import { auditedIdentity } from '../../../workers/audited-ports.ts';
import { refusalSinks } from '../../../workers/refused-messages.ts';
import { createInMemoryAccessGrants } from '../../fakes/in-memory-access-grants.ts';
import {
  createInMemoryAccessTarget,
  type AccessTargetKnobs,
} from '../../fakes/in-memory-access-target.ts';
import { createReplayer } from '../../replay/history-replayer.ts';
import { recordHistory } from '../../replay/recorded-history.ts';
import { createAccessFolder, users, type AccessFolder } from '../../setup/access-folder.ts';
import { connectToTemporal } from '../../setup/temporal-environment.ts';

/** An installation of its own: people, rules, roles that were given, and two targets. */
export interface AccessServer {
  readonly env: TestWorkflowEnvironment;
  readonly folder: AccessFolder;
  readonly gate: AccessGate;
  readonly grants: AccessGrants;
  /** A target that takes groups, and one that gets their members. */
  readonly cluster: AccessTargetKnobs;
  readonly database: AccessTargetKnobs;
  readonly notifications: Notification[];
  readonly audited: AuditEntry[];
  /** Called in an activity. */
  hooks: {
    beforeCall?: (activity: string) => Promise<void> | void;
    /** When it has acted: what it throws looks like an answer that was lost. */
    afterCall?: (activity: string) => void;
  };
  /** A client of somebody of the directory, who signs. */
  as(name: string): Promise<OpsClient>;
  /** The same without the access configuration: nothing is asked before something is sent. */
  bypassing(name: string): Promise<OpsClient>;
  /** The history replays with the code as it is, and is kept if recording is asked for. */
  replayAndRecord(handle: WorkflowHandle, name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Rules under which everything can happen within a second or two. */
export const managed = {
  roles: {
    releaser: {},
    approver: {},
    responder: {},
    operator: { approval: { quorum: 1, within: '1h' }, longest: '8h' },
    admin: { approval: { quorum: 2, within: '1s' } },
  },
  separations: [{ name: 'release-and-approve', roles: ['releaser', 'approver'] }],
  breakGlass: { roles: ['operator'], longest: '2s', reviewWithin: '4s' },
  certification: { within: '1h' },
  targets: [
    {
      name: 'cluster',
      kubernetes: { environment: 'prod', clusterRoles: { operator: 'edit', releaser: 'view' } },
    },
    {
      name: 'database',
      temporal: { claimsFile: 'claims.json', permissions: { operator: ['shop:write'] } },
    },
  ],
};

const more = {
  'abel@example.com': { groups: ['approvers'] },
  'ruth@example.com': { groups: [] },
  'otto@example.com': { groups: ['on-call'] },
  'gast@example.com': { groups: ['guests'] },
  'pia@example.com': { groups: [] },
};

export const startAccessServer = async (changes: object = {}): Promise<AccessServer> => {
  const env = await connectToTemporal();
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  const folder = createAccessFolder({ managed: { ...managed, ...changes } });
  folder.write('directory.yaml', { users: { ...users, ...more } });
  const grants = createInMemoryAccessGrants();
  const gate = openAccessGate(folder.file, { grants });
  const cluster = createInMemoryAccessTarget({ takesGroups: true });
  const database = createInMemoryAccessTarget({ takesGroups: false });
  const parts = { notifications: [] as Notification[], audited: [] as AuditEntry[] };
  const hooks: AccessServer['hooks'] = {};
  const workers = await Promise.all(
    Object.entries(activitiesOf({ gate, cluster, database, ...parts, hooks })).map(
      ([pool, verbs]) =>
        Worker.create({
          connection: env.nativeConnection,
          namespace: env.namespace ?? 'default',
          taskQueue: taskQueueOf(prefix, pool),
          activities: verbs,
          ...(pool === 'orchestration'
            ? { workflowBundle: { codePath: bundlePath() }, sinks: refusalSinks(undefined) }
            : {}),
        }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  const replayer = createReplayer();
  const keys = new Map<string, string>();
  const connect = async (name: string, accessFile?: string): Promise<OpsClient> => {
    const accessKey = keys.get(name) ?? (await folder.keyFor(name)).text;
    keys.set(name, accessKey);
    return createOpsClient({
      ...{ client: env.client, queuePrefix: prefix, messageTimeoutMs: 10_000 },
      access: { accessKey, accessFile, databaseUrl: undefined },
    });
  };
  return {
    ...{ env, folder, gate, grants, ...parts, hooks },
    ...{ cluster: cluster.knobs, database: database.knobs },
    as: async (name) => connect(name, folder.file),
    bypassing: async (name) => connect(name),
    async replayAndRecord(handle, name) {
      await replayer.replay(await handle.fetchHistory(), handle.workflowId);
      await recordHistory(handle, name);
    },
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await replayer.close();
      await env.teardown();
      folder.remove();
    },
  };
};

const bundlePath = (): string => {
  const path = process.env['HOLDFAST_WORKFLOW_BUNDLE'];
  if (path === undefined) throw new Error('the global set-up made no workflow bundle');
  return path;
};

type Target = ReturnType<typeof createInMemoryAccessTarget>;
type Verbs = Record<string, (request: never) => Promise<unknown>>;

interface Outside {
  gate: AccessGate;
  cluster: Target;
  database: Target;
  notifications: Notification[];
  audited: AuditEntry[];
  hooks: AccessServer['hooks'];
}

const activitiesOf = ({ gate, cluster, database, ...outside }: Outside): Record<string, Verbs> => {
  const { notifications, audited, hooks } = outside;
  const audit = {
    record: async (entries: readonly AuditEntry[]) => {
      for (const entry of entries) {
        if (!audited.some(({ id }) => id === entry.id)) audited.push(entry);
      }
      return Promise.resolve();
    },
  };
  const identity = auditedIdentity(createVerifiedIdentity({ gate }), audit);
  const changes = createAccessChanges({ gate, record: audit.record });
  const rule = { environment: 'prod' };
  const rights = { operator: ['edit'], releaser: ['view'] };
  const permissions = { operator: ['shop:write'] };
  const targets = createAccessTargets({
    targets: async () =>
      Promise.resolve(
        new Map([
          [
            'cluster',
            { rule: { ...rule, name: 'cluster', rights, takesGroups: true }, ...cluster },
          ],
          [
            'database',
            { rule: { name: 'database', rights: permissions, takesGroups: false }, ...database },
          ],
        ]),
      ),
    wanted: async () => ({
      grants: await gate.roleGrants(Date.now()),
      people: [...(await gate.settings()).users.values()],
    }),
  });
  const contracts = createContracts({ timeoutProfile: 'test' });
  const hooked = (port: string, verbs: object): Verbs =>
    Object.fromEntries(
      Object.entries(verbs as Verbs).map(([verb, call]) => [
        `${port}.${verb}`,
        async (request: never) => {
          await hooks.beforeCall?.(`${port}.${verb}`);
          const answer = await call(request);
          hooks.afterCall?.(`${port}.${verb}`);
          return answer;
        },
      ]),
    );
  return {
    orchestration: {
      'contracts.parse': async (request: never) => contracts.parse(request),
      'identity.verify': async (request: VerifyRequest) => identity.verify(request),
    },
    kubernetes: { ...hooked('accessChanges', changes), ...hooked('accessTargets', targets) },
    notify: {
      'notifications.send': async ({ notification }: { notification: Notification }) => {
        notifications.push(notification);
        return Promise.resolve();
      },
    },
  };
};

/** Looks at the run until it is as expected; the test's own timeout ends it. */
export const reaches = async (
  run: ManageAccessHandle,
  isSo: (progress: ManageAccessProgress) => boolean,
): Promise<ManageAccessProgress> => {
  for await (const { progress, executionStatus } of run.watch({ intervalMs: 20 })) {
    if (progress !== null && isSo(progress)) return progress;
    if (executionStatus !== 'RUNNING') break;
  }
  throw new Error(`the run ended before that: ${JSON.stringify(await run.progress())}`);
};

/** Roles that somebody has now, by name. */
export const rolesNow = async (server: AccessServer, name: string): Promise<string[]> =>
  (await server.gate.roleGrants(Date.now()))
    .filter(({ users: named }) => named.includes(name))
    .map(({ role, environments }) => `${role} in ${environments?.join(', ') ?? '*'}`)
    .sort();
