/** Runs that wait for a worker that is not there. */
import type { Client } from '@temporalio/client';
import type { DoctorCheck } from './check.ts';

export interface UnpolledQueue {
  readonly taskQueue: string;
  readonly workflowIds: readonly string[];
}

/** A worker's poll lasts up to a minute, so one that lives was seen within that time. */
const POLL_SEEN_WITHIN_MS = 70_000;
/** Enough to name; a queue without worker is one problem however many runs wait in it. */
const LOOK_AT_RUNS = 1_000;
const NAME_RUNS = 5;

export async function checkUnpolledRuns(client: Client): Promise<DoctorCheck> {
  const queues = await findUnpolledRuns(client);
  if (queues.length === 0) {
    return { id: 'unpolled-runs', verdict: 'ok', evidence: 'a worker polls for every running run' };
  }
  const lines = queues.map(({ taskQueue, workflowIds }) => {
    const named = workflowIds.slice(0, NAME_RUNS).join(', ');
    const more = workflowIds.length - NAME_RUNS;
    return `${taskQueue}: ${named}${more > 0 ? ` and ${more} more` : ''}`;
  });
  return {
    id: 'unpolled-runs',
    verdict: 'warning',
    evidence: `no worker polls for ${lines.join('; ')}`,
    fix: 'Run `holdfast worker`; the runs continue where they are.',
  };
}

export async function findUnpolledRuns(client: Client): Promise<readonly UnpolledQueue[]> {
  const waiting = new Map<string, string[]>();
  let seen = 0;
  for await (const run of client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
    const ids = waiting.get(run.taskQueue) ?? [];
    waiting.set(run.taskQueue, [...ids, run.workflowId]);
    seen += 1;
    if (seen >= LOOK_AT_RUNS) break;
  }
  const queues: UnpolledQueue[] = [];
  for (const [taskQueue, workflowIds] of waiting) {
    if (!(await isPolled(client, taskQueue))) queues.push({ taskQueue, workflowIds });
  }
  return queues;
}

async function isPolled(client: Client, taskQueue: string): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
  });
  const since = Date.now() - POLL_SEEN_WITHIN_MS;
  return pollers.some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 >= since);
}
