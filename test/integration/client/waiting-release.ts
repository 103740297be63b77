import { expect } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import type { DeployServiceHandle, DeployServiceRequest } from '../../../client/index.ts';
import type { World } from '../../workflow/delivery/release-server.ts';
import { seededWorld } from '../../workflow/delivery/sample-release.ts';
import type { AccessServer } from './access-server.ts';
import { approvals, planOf, requestOf } from './facade-server.ts';

/** A release of Rita's that waits for an approval, and a plain client of Temporal's for it. */
export interface Waiting {
  world: World;
  run: DeployServiceHandle;
  plain: WorkflowHandle;
  planDigest: string;
}

export const reason = 'read it';

export const waitingRelease = async (
  server: AccessServer,
  release = '2',
  changes: Partial<DeployServiceRequest> = {},
): Promise<Waiting> => {
  const world = await seededWorld(server);
  const rita = await server.as(world, 'rita@example.com');
  const run = await rita.delivery.deployService.start(
    requestOf(world, { release, approvals, ...changes }),
  );
  const planDigest = await planOf(rita, world);
  const plain = server.env.client.workflow.getHandle(run.workflowId);
  return { world, run, plain, planDigest };
};

/** An approval that Anna signed and did not send. */
export const signedByAnna = async (
  server: AccessServer,
  { world, run, planDigest }: Waiting,
  options: { lifetimeMs?: number } = {},
) => {
  const anna = await server.bypassing(world, 'anna@example.com');
  const handle = await anna.delivery.deployService.getHandle(run.workflowId);
  return handle.sign('approve', { reason, planDigest }, options);
};

export const approve = async ({ plain }: Waiting, message: unknown): Promise<unknown> =>
  plain.executeUpdate<unknown, [unknown]>('approve', { args: [message] });

export const stillWaits = async ({ run }: Waiting): Promise<void> => {
  expect((await run.progress()).waitingFor?.planDigest).toBeDefined();
  expect((await run.evidence()).identities).toHaveLength(1);
};
