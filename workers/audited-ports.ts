import { randomUUID } from 'node:crypto';
import { activityInfo } from '@temporalio/activity';
import type { DecodeRecords } from '../activities/encryption/port.ts';
import type { Identity, VerifyRequest } from '../activities/identity/port.ts';
import type { ReleaseRecords } from '../activities/store/port.ts';
import { codedErrorOf } from '../activities/coded-failure.ts';
import type { AuditEntry } from '../domain/security/audit-record.ts';
import type { Audit } from './audit.ts';

type Recorder = Pick<Audit, 'record'>;

/** A release, which whoever counts it records the end of. */
const startOfRelease = 'deployService.start';

/** What begins something whose outcome is recorded later. */
const beginnings: ReadonlySet<string> = new Set([startOfRelease, 'manageAccess.start']);

/**
 * Records who asked for a run, and each message to it, accepted or refused. The run hears no answer
 * before it is recorded. The activity is in the history anyway, so that runs replay as before.
 */
export const auditedIdentity = (identity: Identity, audit: Recorder): Identity => ({
  verify: async (request) => {
    try {
      const actor = await identity.verify(request);
      const { verification, note, decidedBy = [note] } = actor;
      const decision = { verdict: 'allowed', rule: decidedBy.join(', ') } as const;
      await audit.record([askedBy(request, { verification, decision })]);
      return actor;
    } catch (error) {
      const coded = codedErrorOf(error);
      // One that is tried again is not decided yet.
      if (coded === undefined || isPassing(error)) throw error;
      const decision = { verdict: 'refused', rule: coded.code } as const;
      await audit.record([askedBy(request, { verification: 'unverified', decision })]);
      throw error;
    }
  },
});

const isPassing = (error: unknown): boolean =>
  (Object(error) as { nonRetryable?: unknown }).nonRetryable !== true;

const askedBy = (
  { actor: name, action, workflowId, content, about }: VerifyRequest,
  {
    verification,
    decision,
  }: Pick<AuditEntry['actor'], 'verification'> & {
    decision: NonNullable<AuditEntry['decision']>;
  },
): AuditEntry => {
  const { activityId, workflowExecution } = activityInfo();
  const runId = workflowExecution?.runId ?? workflowId;
  const reason = reasonIn(content);
  const begins = beginnings.has(action);
  const opens = begins && decision.verdict === 'allowed';
  return {
    // Another attempt at the same step is the same fact.
    id: `${runId}/${activityId}/${decision.verdict}`,
    atMs: Date.now(),
    actor: { name, verification },
    action,
    subject: { run: workflowId, service: about.service, environment: about.environment },
    ...(reason === undefined ? {} : { reason }),
    decision,
    phase: opens ? 'intent' : begins ? 'outcome' : 'effect',
    correlation: runId,
  };
};

/** A message says its reason itself, the input of a start says that of who asks for it. */
const reasonIn = (content: unknown): string | undefined => {
  const { reason, requestedBy } = Object(content) as { reason?: unknown; requestedBy?: unknown };
  const said = reason ?? (Object(requestedBy) as { reason?: unknown }).reason;
  return typeof said === 'string' ? said : undefined;
};

/** Records how a release ended, beside counting it. */
export const auditedReleaseRecords = (
  records: Pick<ReleaseRecords, 'add'>,
  audit: Recorder,
): Pick<ReleaseRecords, 'add'> => ({
  add: async (ended) => {
    await records.add(ended);
    const { runId, service, environment, release, ending, endedAtMs } = ended;
    await audit.record([
      {
        id: `${runId}/ended`,
        atMs: endedAtMs,
        actor: { name: 'holdfast', verification: 'verified' },
        action: startOfRelease,
        subject: { service, environment, release },
        phase: 'outcome',
        correlation: runId,
        result: ending,
      },
    ]);
  },
});

/** Records who read what, beside the log. */
export const auditedDecodeRecords = (records: DecodeRecords, audit: Recorder): DecodeRecords => ({
  add: async (record) => {
    await records.add(record);
    const { token, holder, namespace, payloads, opened, refused } = record;
    const id = randomUUID();
    await audit.record([
      {
        id,
        atMs: Date.now(),
        actor: { name: holder, verification: 'verified' },
        action: 'payloads.decode',
        subject: { namespace, token },
        decision: { verdict: 'allowed', rule: `token ${token}` },
        phase: 'outcome',
        correlation: id,
        result: `${String(opened)} of ${String(payloads)} opened, ${String(refused)} refused`,
      },
    ]);
  },
});
