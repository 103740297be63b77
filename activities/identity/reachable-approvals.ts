import { unreachableBecause, type WantedApproval } from '../../domain/security/approval.ts';
import type { PermissionQuestion } from '../../domain/security/permission.ts';
import { codedFailure } from '../coded-failure.ts';
import type { AccessGate } from './access-gate.ts';

interface Reach {
  wanted: WantedApproval;
  /** Who may approve is asked by this. */
  question: PermissionQuestion;
  atMs: number;
}

/**
 * Why nobody could give an approval, as things are now; undefined if some could. Users of an issuer
 * need not be in the directory, so that with one nobody knows who there is.
 */
export const unreachableApproval = async (
  gate: AccessGate,
  { wanted, question, atMs }: Reach,
): Promise<string | undefined> => {
  const { issuers, users } = await gate.settings();
  if (issuers.length > 0) return undefined;
  const able = (await gate.whoMay(question, atMs)).map((actor) => ({
    actor,
    groups: users.get(actor)?.groups ?? [],
  }));
  return unreachableBecause(wanted, able);
};

interface AskedApprovals {
  approvals: readonly WantedApproval[];
  /** Of the start that asks for them. */
  question: PermissionQuestion;
  atMs: number;
}

/**
 * What waits for people who are not there would wait until it expires. A side that cannot read all
 * roles leaves the answer to the run.
 *
 * @throws INVALID_INPUT naming the approval
 */
export const refuseUnreachable = async (
  gate: AccessGate,
  { approvals, question, atMs }: AskedApprovals,
): Promise<void> => {
  if (approvals.length === 0 || !(await gate.knowsAllGrants())) return;
  const { environment, service, requestedBy } = question;
  const approve = {
    ...{ action: question.action.replace(/\.\w+$/, '.approve'), environment, service },
    ...(requestedBy === undefined ? {} : { requestedBy }),
  };
  for (const [index, wanted] of approvals.entries()) {
    const why = await unreachableApproval(gate, { wanted, question: approve, atMs });
    if (why === undefined) continue;
    const field = `approvals.${String(index)}`;
    throw codedFailure({
      code: 'INVALID_INPUT',
      message: `${field}: ${why}. Nothing was changed.`,
      next: `Ask for fewer people or other groups, or let more people approve; \`holdfast access check ${approve.action} -e ${environment} --service ${service}\` lists who may.`,
      subject: field,
    });
  }
};
