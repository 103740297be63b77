import { DeployServiceInput } from '../../contracts/delivery/deploy-service.ts';
import {
  describeWanted,
  isApproved,
  quorumOf,
  approversAmong,
  type GivenApproval,
  type SentApproval,
} from '../../domain/security/approval.ts';
import { otherRelease, type Warrant, type WarrantedWrite } from '../../domain/security/warrant.ts';
import { codedFailure } from '../coded-failure.ts';
import type { AccessGate } from './access-gate.ts';
import type { VerifyRequest } from './port.ts';
import { createVerifiedIdentity, provenSender, unproven } from './verified-identity.ts';

/** Checks what a run shows with its writes, where they are carried out. */
export interface Warrants {
  /**
   * Signatures, people and their rights are looked at as they are now: who has left meanwhile
   * approved nothing.
   * @throws IDENTITY_UNPROVEN, PERMISSION_DENIED, APPROVAL_MISSING; nothing may be written then
   */
  check(write: WarrantedWrite, warrant: Warrant | undefined): Promise<void>;
}

export const createWarrants = ({ gate }: { gate: AccessGate }): Warrants => {
  const identity = createVerifiedIdentity({ gate });
  return {
    async check(write, warrant) {
      if (warrant === undefined) throw unproven('the write shows nobody who asked for it');
      const input = await askedFor(gate, write, warrant);
      const [wanted] = input.approvals;
      if (wanted === undefined) return;
      const given: GivenApproval[] = [];
      for (const sent of warrant.approvals) {
        const { actor, groups = [] } = await identity.verify(approvalOf(write, input, sent));
        given.push({ actor, groups });
      }
      if (isApproved(wanted, given)) return;
      const { planDigest } = write;
      const count = `${String(approversAmong(wanted, given).length)} of ${String(quorumOf(wanted))}`;
      throw codedFailure({
        code: 'APPROVAL_MISSING',
        message: `Plan ${planDigest} has ${count} approvals; asked for is that of ${describeWanted(wanted)}. Nothing was written.`,
        subject: planDigest,
      });
    },
  };
};

/** The input that someone signed, if it is about this write. */
const askedFor = async (
  gate: AccessGate,
  write: WarrantedWrite,
  { request, startedAtMs }: Warrant,
): Promise<DeployServiceInput> => {
  const read = DeployServiceInput.safeParse(request);
  if (!read.success) throw unproven('what was asked for cannot be read');
  const input = read.data;
  const other = otherRelease(input, write);
  if (other !== undefined) throw unproven(other);
  const { environment, service, requestedBy } = input;
  const { actor, proof } = requestedBy;
  await provenSender(gate, {
    ...{ actor, action: 'deployService.start', workflowId: write.workflowId },
    ...{ content: request, askedAtMs: startedAtMs, about: { environment, service } },
    ...(proof === undefined ? {} : { proof }),
  });
  return input;
};

const approvalOf = (
  { workflowId, runId, planDigest }: WarrantedWrite,
  { environment, service, requestedBy }: DeployServiceInput,
  { message, takenAtMs }: SentApproval,
): VerifyRequest => ({
  ...{ actor: message.actor, action: 'deployService.approve', workflowId, runId, planDigest },
  ...{ content: message, askedAtMs: takenAtMs },
  about: { environment, service, requestedBy: requestedBy.actor },
  ...(message.proof === undefined ? {} : { proof: message.proof }),
});
