import { proxyActivities } from '@temporalio/workflow';

type Write = (request: unknown) => Promise<unknown>;

/** Has a worker of somebody else's carry out a write, as a workflow of one's own can. */
export async function rogueWrite(taskQueue: string, request: unknown): Promise<unknown> {
  const { 'releases.write': write } = proxyActivities<{ 'releases.write': Write }>({
    taskQueue,
    startToCloseTimeout: '10s',
    retry: { maximumAttempts: 1 },
  });
  return write(request);
}

/** The same for a write of roles. */
export async function rogueGrant(taskQueue: string, request: unknown): Promise<unknown> {
  const { 'accessChanges.write': write } = proxyActivities<{ 'accessChanges.write': Write }>({
    taskQueue,
    startToCloseTimeout: '10s',
    retry: { maximumAttempts: 1 },
  });
  return write(request);
}
