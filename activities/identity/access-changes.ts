import { activityInfo } from '@temporalio/activity';
import { ManageAccessInput } from '../../contracts/security/manage-access.ts';
import {
  accessQuestion,
  changeOf,
  type AccessChange,
} from '../../domain/security/access-change.ts';
import {
  grantsAfter,
  differenceOf,
  type AccessPhase,
} from '../../domain/security/access-writes.ts';
import { isApproved, type GivenApproval } from '../../domain/security/approval.ts';
import type { AuditEntry } from '../../domain/security/audit-record.ts';
import type { GrantList } from '../../domain/security/access-grant.ts';
import { readCommand, readProof } from '../../domain/security/signed-command.ts';
import type { Warrant } from '../../domain/security/warrant.ts';
import { codedErrorOf, codedFailure } from '../coded-failure.ts';
import type { AccessGate } from './access-gate.ts';
import { approvalWanted, planChange, planDigestOf, refuseConflict } from './access-plans.ts';
import type { AccessChanges, AccessWrite, AccessWritten } from './port.ts';
import { createVerifiedIdentity, unproven } from './verified-identity.ts';

export interface AccessChangesDeps {
  /** Absent where nobody has to prove who they are: then no role means anything. */
  gate: AccessGate | undefined;
  /** Keeps a record in the audit log. */
  record: (entries: readonly AuditEntry[]) => Promise<void>;
}

const useCase = 'manageAccess';
const mostTries = 5;

/**
 * Plans and writes changes of access. What is written follows from the request that somebody signed
 * and from the rules as they are now; the run that asks for it is not believed.
 */
export const createAccessChanges = ({ gate: opened, record }: AccessChangesDeps): AccessChanges => {
  const open = (): AccessGate => {
    if (opened !== undefined) return opened;
    throw codedFailure({
      code: 'CONFIGURATION_INVALID',
      message:
        'Access is not managed here: the workers have no access configuration. Nothing was changed.',
      next: 'Set HOLDFAST_ACCESS for the workers, with `managed` in access.yaml; docs/access.md shows one.',
      subject: 'HOLDFAST_ACCESS',
    });
  };
  return {
    plan: async ({ change }) => planChange(open(), change, Date.now()),
    async write(request) {
      const gate = open();
      const place = placeOfRun();
      const change = await checked(gate, request, place);
      const id = `${place.runId}/${request.phase}`;
      const before = (await (await gate.grants()).written(id)) ?? undefined;
      const written =
        before === undefined
          ? await writeNew(gate, { ...newWriteOf(request, place), id }, change)
          : await answerOf(gate, before);
      const isEffect = written.given.length + written.removed.length > 0;
      if (isEffect) await record([effectOf(request, written, place)]);
      return written;
    },
    async conclude({ change, outcome }) {
      const { workflowId, runId } = placeOfRun();
      await record([
        {
          ...{ id: `${runId}/ended`, atMs: Date.now(), action: `${useCase}.start` },
          actor: { name: 'holdfast', verification: 'verified' },
          subject: { run: workflowId, change },
          ...{ phase: 'outcome', correlation: runId, result: outcome },
        },
      ]);
    },
  };
};

interface RunPlace {
  workflowId: string;
  runId: string;
}

/** As the server tells it, not the run. */
const placeOfRun = (): RunPlace => {
  const { workflowId = '', runId = '' } = activityInfo().workflowExecution ?? {};
  return { workflowId, runId };
};

/** The change that was asked for, if it was, and approved if it has to be. */
const checked = async (
  gate: AccessGate,
  { change: name, phase, planDigest, warrant }: AccessWrite,
  place: RunPlace,
): Promise<AccessChange> => {
  const { change, proof } = requestIn(warrant);
  if (change.change !== name) throw unproven(`asked for was the change ${change.change}`);
  // Who asked may have left since. What this run wrote was checked then; it takes back nothing else.
  if (isWayBack(phase)) return change;
  await requireRequester(gate, { change, proof, warrant, place });
  await requireApprovals(gate, { change, planDigest, warrant, place });
  return change;
};

const newWriteOf = (
  { phase, warrant }: AccessWrite,
  { runId }: RunPlace,
): Omit<NewWrite, 'id'> => ({
  ...{ runId, phase },
  signed: isWayBack(phase) ? undefined : nonceIn(requestIn(warrant).proof),
});

/** Its signature was checked before. */
const nonceIn = (proof: string | undefined): string => {
  const read = proof === undefined ? undefined : readProof(proof);
  const command = read === undefined ? undefined : readCommand(read.command);
  if (command === undefined) throw unproven('the request has no proof');
  return command.nonce;
};

const isWayBack = (phase: AccessPhase): boolean => phase === 'end' || phase === 'put back';

const requestIn = ({ request }: Warrant): { change: AccessChange; proof: string | undefined } => {
  const read = ManageAccessInput.safeParse(request);
  if (!read.success) throw unproven('what was asked for cannot be read');
  return { change: changeOf(read.data), proof: read.data.requestedBy.proof };
};

interface RequestedWrite {
  change: AccessChange;
  proof: string | undefined;
  warrant: Warrant;
  place: RunPlace;
}

/** Who asked has to be who they say, and still be allowed to. */
const requireRequester = async (
  gate: AccessGate,
  { change, proof, warrant: { request, startedAtMs }, place: { workflowId } }: RequestedWrite,
): Promise<void> => {
  await createVerifiedIdentity({ gate }).verify({
    ...{ actor: change.requestedBy.actor, action: `${useCase}.start`, workflowId },
    ...{ content: request, askedAtMs: startedAtMs, about: accessQuestion(change) },
    ...(proof === undefined ? {} : { proof }),
  });
};

interface ApprovedWrite {
  change: AccessChange;
  planDigest: string;
  warrant: Warrant;
  place: RunPlace;
}

const requireApprovals = async (
  gate: AccessGate,
  { change, planDigest, warrant, place }: ApprovedWrite,
): Promise<void> => {
  const settings = await gate.settings();
  const wanted = approvalWanted(settings, change);
  if (wanted === undefined) return;
  const identity = createVerifiedIdentity({ gate });
  const given: GivenApproval[] = [];
  for (const { message, takenAtMs } of warrant.approvals) {
    const { actor, groups = [] } = await identity.verify({
      ...{ actor: message.actor, action: `${useCase}.approve`, ...place, planDigest },
      ...{ content: message, askedAtMs: takenAtMs, about: accessQuestion(change) },
      ...(message.proof === undefined ? {} : { proof: message.proof }),
    });
    given.push({ actor, groups });
  }
  const isMeant = planDigestOf(settings, change) === planDigest;
  if (isMeant && isApproved(wanted, given)) return;
  throw codedFailure({
    code: 'APPROVAL_MISSING',
    message: `The access change ${change.change} is not approved as it is now. Nothing was written.`,
    subject: planDigest,
  });
};

interface NewWrite {
  id: string;
  runId: string;
  phase: AccessPhase;
  /** The nonce of what was signed; absent on the way back, for which nobody signs. */
  signed: string | undefined;
}

const writeNew = async (
  gate: AccessGate,
  write: NewWrite,
  change: AccessChange,
): Promise<AccessWritten> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await writeOnto(gate, write, change);
    } catch (error) {
      // Somebody else's change came between; what is there now may forbid ours.
      if (codedErrorOf(error)?.code !== 'ACCESS_CHANGED' || tries === mostTries) throw error;
    }
  }
};

/** Onto the newest version. @throws ACCESS_CHANGED if that is not the newest any more */
const writeOnto = async (
  gate: AccessGate,
  { id, runId, phase, signed }: NewWrite,
  change: AccessChange,
): Promise<AccessWritten> => {
  const grants = await gate.grants();
  const list = await grants.current();
  const before = isWayBack(phase) ? await listBefore(gate, runId) : undefined;
  if (isWayBack(phase) && before === undefined) {
    return { version: list.version, given: [], removed: [] };
  }
  if (phase === 'give') await refuseConflict(gate, { ...change, remove: [] }, Date.now());
  const { managed } = await gate.settings();
  const after = await grants.write({
    ...{ id, basedOn: list.version },
    // Somebody may have lost what this once gave them: the request must not give it again.
    ...(signed === undefined ? {} : { request: `${signed}/${phase}` }),
    grants: grantsAfter(phase, {
      ...{ change, list, before, breakGlass: managed?.breakGlass, atMs: Date.now() },
    }),
  });
  return { version: after.version, ...differenceOf(list.grants, after.grants) };
};

const firstWrite = async (gate: AccessGate, runId: string): Promise<GrantList | undefined> => {
  const grants = await gate.grants();
  return (await grants.written(`${runId}/remove`)) ?? grants.written(`${runId}/give`);
};

/** As it was before the first write of this run. */
const listBefore = async (gate: AccessGate, runId: string): Promise<GrantList | undefined> => {
  const first = await firstWrite(gate, runId);
  return first === undefined ? undefined : versionBefore(gate, first);
};

const versionBefore = async (gate: AccessGate, { version }: GrantList): Promise<GrantList> =>
  (await (await gate.grants()).at(version - 1)) ?? { version: 0, grants: [] };

const answerOf = async (gate: AccessGate, written: GrantList): Promise<AccessWritten> => {
  const before = await versionBefore(gate, written);
  return { version: written.version, ...differenceOf(before.grants, written.grants) };
};

const effectOf = (
  { change, phase, planDigest }: AccessWrite,
  { version, given, removed }: AccessWritten,
  { workflowId, runId }: RunPlace,
): AuditEntry => ({
  ...{ id: `${runId}/${phase}`, atMs: Date.now(), action: `access.${phase}` },
  actor: { name: 'holdfast', verification: 'verified' },
  subject: { run: workflowId, change, version: String(version) },
  ...{ phase: 'effect', correlation: runId, payload: { digest: planDigest } },
  result: `given: ${given.join('; ') || 'nothing'}; removed: ${removed.join('; ') || 'nothing'}`,
});
