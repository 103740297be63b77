import type { ManageAccessHandle, ManageAccessRequest } from '../../../client/index.ts';
import { managed, reaches, type AccessServer } from '../../workflow/security/access-server.ts';

export const adam = 'adam@example.com';
export const anna = 'anna@example.com';
export const nina = 'nina@example.com';
export const rita = 'rita@example.com';
/** Of the directory, and without any role. */
export const guest = 'gast@example.com';
export const reason = 'because of the test';

/** Rules under which operators need an approval, and the other roles none. */
export const approvedOperators = {
  roles: { ...managed.roles, operator: { approval: { quorum: 1, within: '1h' } } },
};

let changes = 0;

/** A change under a name of its own. */
export const changeOf = (
  given: { role?: string; user?: string; forMs?: number } = {},
): ManageAccessRequest => ({
  change: `ops-${String((changes += 1))}-${String(process.pid)}-${Date.now().toString(36)}`,
  give: [{ role: 'operator', user: nina, environments: ['prod'], ...given }],
  requestedBy: { reason },
});

export const startAsAdam = async (
  server: AccessServer,
  request: ManageAccessRequest,
): Promise<ManageAccessHandle> => (await server.as(adam)).security.manageAccess.start(request);

export const waitingForApproval = async (
  server: AccessServer,
  request = changeOf(),
): Promise<ManageAccessHandle> => {
  const run = await startAsAdam(server, request);
  await reaches(run, ({ waitingFor }) => waitingFor?.planDigest !== undefined);
  return run;
};

export const stuckAtTarget = async (server: AccessServer): Promise<ManageAccessHandle> => {
  server.cluster.fail.change = { code: 'ACCESS_TARGET_REFUSED', times: 1 };
  const run = await startAsAdam(server, changeOf({ role: 'releaser' }));
  await reaches(run, ({ status }) => status === 'needs-operator');
  return run;
};

export const plainOf = (server: AccessServer, { workflowId }: { workflowId: string }) =>
  server.env.client.workflow.getHandle(workflowId);

/** The queues that the workers of this server poll, as a run tells it. */
export const queuePrefixOf = async (server: AccessServer): Promise<string> => {
  const run = plainOf(server, await startAsAdam(server, changeOf()));
  const { taskQueue } = await run.describe();
  await run.terminate('it was only asked where it runs');
  return taskQueue.replace(/-orchestration$/, '');
};

/** The last run that a schedule has started. */
export const startedBy = async (handle: {
  describe: () => Promise<{
    info: { recentActions: { action: { workflow: { workflowId: string } } }[] };
  }>;
}): Promise<string> => {
  for (;;) {
    const { info } = await handle.describe();
    const last = info.recentActions.at(-1)?.action.workflow.workflowId;
    if (last !== undefined) return last;
    await new Promise((resolve) => setImmediate(resolve));
  }
};
