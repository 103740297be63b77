import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { AuditLog, OpenIntent } from '../activities/store/port.ts';

/** A run that ends records its outcome in its last moments; this is left to it for that. */
const openAfterMs = 60_000;
const intentsAtATime = 100;

interface Sweep {
  auditLog: AuditLog;
  client: Client;
  log: Logger;
  nowMs: number;
}

/**
 * Finds intents whose outcome nobody recorded: a run that was refused before it touched anything,
 * was terminated, or whose worker could not tell. What Temporal knows of its end becomes the
 * outcome; an intent that nobody knows the end of is named in the log of the worker.
 */
export const closeEndedRuns = async ({ auditLog, client, log, nowMs }: Sweep): Promise<void> => {
  const beforeMs = nowMs - openAfterMs;
  for (const intent of await auditLog.openIntents({ beforeMs, limit: intentsAtATime })) {
    const end = await endOf(client, intent);
    if (end === 'running') continue;
    if (end === 'unknown') {
      const { position, action, correlation } = intent;
      log.warn({ position, action, correlation }, 'an audited intent has no outcome');
      continue;
    }
    await auditLog.append([
      {
        id: `${intent.correlation}/ended`,
        atMs: end.atMs,
        actor: { name: 'holdfast', verification: 'verified' },
        action: intent.action,
        subject: intent.run === undefined ? {} : { run: intent.run },
        phase: 'outcome',
        correlation: intent.correlation,
        result: end.result,
      },
    ]);
  }
};

type End = 'running' | 'unknown' | { result: string; atMs: number };

const endOf = async (client: Client, { run, correlation }: OpenIntent): Promise<End> => {
  if (run === undefined) return 'unknown';
  try {
    const { status, closeTime } = await client.workflow.getHandle(run, correlation).describe();
    if (closeTime === undefined) return 'running';
    return { result: `the run ended ${status.name.toLowerCase()}`, atMs: closeTime.getTime() };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'unknown';
    throw error;
  }
};
