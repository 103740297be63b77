import {
  commandProblem,
  readCommand,
  readProof,
  type CommandProof,
} from '../../domain/security/signed-command.ts';
import type { Person } from '../../domain/security/permission.ts';
import { codedFailure } from '../coded-failure.ts';
import type { AccessGate } from './access-gate.ts';
import { contentDigestOf, isSignedBy } from './access-key-text.ts';
import type { Identity, VerifyRequest } from './port.ts';
import { refuseUnreachable } from './reachable-approvals.ts';
import { openSealedToken } from './sealed-token.ts';

/**
 * Takes nobody at their word: the proof has to be for this run, this action and these bytes, by
 * someone who is known now and may do that now. What the sender says about itself decides nothing.
 */
export const createVerifiedIdentity = ({ gate }: { gate: AccessGate }): Identity => ({
  async verify(request) {
    const { person, credential } = await provenSender(gate, request);
    const { action, about, planDigest, approvals } = request;
    const question = { ...about, action };
    const atMs = Date.now();
    const { decidedBy } = await gate.permit(person, question, atMs);
    if (approvals !== undefined) await refuseUnreachable(gate, { approvals, question, atMs });
    return {
      actor: person.name,
      verification: 'verified',
      note: `${credential}; allowed by ${decidedBy.join(', ')}`,
      decidedBy: [...decidedBy],
      ...(planDigest === undefined ? {} : { groups: [...person.groups] }),
    };
  },
});

/** Who sent it, whatever they may. @throws IDENTITY_UNPROVEN */
export const provenSender = async (
  gate: AccessGate,
  request: VerifyRequest,
): Promise<{ person: Person; credential: string }> => {
  const proof = proofOf(request);
  const person = await senderOf(gate, proof, request);
  if (person.name !== request.actor) {
    throw unproven(`the proof is of ${person.name}, the message says ${request.actor}`);
  }
  return { person, credential: proof.key ?? 'token' };
};

/** A proof for this message, whoever made it. */
const proofOf = (request: VerifyRequest): CommandProof => {
  const { proof: text, workflowId, runId, action, planDigest, askedAtMs, content } = request;
  if (text === undefined) throw unproven('the message has no proof');
  const proof = readProof(text);
  const command = proof === undefined ? undefined : readCommand(proof.command);
  if (proof === undefined || command === undefined) {
    throw unproven('the proof is not one that `holdfast` makes');
  }
  const problem = commandProblem(command, {
    ...{ workflowId, action, atMs: askedAtMs },
    ...(runId === undefined ? {} : { runId }),
    ...(planDigest === undefined ? {} : { planDigest }),
  });
  if (problem !== undefined) throw unproven(problem);
  if (command.contentDigest !== contentDigestOf(content)) {
    throw unproven('the proof is for other words than those of the message');
  }
  return proof;
};

const senderOf = async (
  gate: AccessGate,
  { key, signature, sealed, command }: CommandProof,
  { action, about, askedAtMs }: VerifyRequest,
): Promise<Person> => {
  if (sealed !== undefined) {
    const { sealingKeyFile } = await gate.settings();
    if (sealingKeyFile === undefined) throw unproven('access tokens are not taken here');
    const token = await openSealedToken(sealingKeyFile, { sealed, command });
    return gate.holderOfToken(token, askedAtMs);
  }
  const id = key ?? '';
  const entry = await (await gate.keys()).find(id);
  // An unknown key is told like any other: first the key, then what it signed.
  const use = { id, action, environment: about.environment, atMs: askedAtMs };
  const holder = await gate.holderOfKey(entry, use);
  const publicKey = entry?.publicKey ?? '';
  if (isSignedBy(publicKey, { command, signature: signature ?? '' })) return holder;
  throw unproven(`the signature is not one of the access key ${id}`);
};

export const unproven = (reason: string): Error =>
  codedFailure({
    code: 'IDENTITY_UNPROVEN',
    message: `Who asks is not proven: ${reason}. Nothing was changed.`,
  });
