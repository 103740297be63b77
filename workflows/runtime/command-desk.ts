import type { Message } from '../../contracts/messages.ts';
import {
  afterRefusal,
  fullAllowance,
  isUsed,
  mayBeRefused,
  nextAllowedAtMs,
  withNonce,
} from '../../domain/security/command-log.ts';
import type { RefusalAllowance, UsedNonce } from '../../domain/security/command-log.ts';
import { commandProblem, readCommand, readProof } from '../../domain/security/signed-command.ts';
import type { Command, CommandPlace } from '../../domain/security/signed-command.ts';

/** Where the proofs of messages are looked at, as far as that needs no key. */
export interface CommandDesk {
  /** Why the proof is not for this place, was used before, or nothing is looked at now. */
  problem(message: Message, place: CommandPlace): string | undefined;
  /** The proof was good and did what it says: it is not taken again. */
  use(message: Message, atMs: number): void;
  /** A message was refused after it was taken into the history. */
  refused(atMs: number): void;
}

/** What the desk remembers; an entity carries the nonces over. */
export interface CommandMemory {
  usedNonces?: UsedNonce[];
}

export const createCommandDesk = (memory: CommandMemory): CommandDesk => {
  let allowance: RefusalAllowance | undefined;
  return {
    problem(message, place) {
      if (allowance !== undefined && !mayBeRefused(allowance, place.atMs)) {
        const again = new Date(nextAllowedAtMs(allowance)).toISOString();
        return `too many messages were refused; the next one is looked at after ${again}`;
      }
      // A proof of another kind is for the activity to judge.
      if (message.proof === undefined || readProof(message.proof) === undefined) return undefined;
      const command = commandIn(message);
      if (command === undefined) return 'the command in the proof cannot be read';
      const problem = commandProblem(command, place);
      if (problem !== undefined) return problem;
      return isUsed(memory.usedNonces ?? [], command.nonce)
        ? 'the proof was used before'
        : undefined;
    },
    use(message, atMs) {
      const command = commandIn(message);
      if (command === undefined) return;
      const { nonce, expiresAtMs } = command;
      memory.usedNonces = withNonce(memory.usedNonces ?? [], { nonce, expiresAtMs }, atMs);
    },
    refused(atMs) {
      allowance = afterRefusal(allowance ?? fullAllowance(atMs), atMs);
    },
  };
};

const commandIn = ({ proof }: Message): Command | undefined => {
  const read = proof === undefined ? undefined : readProof(proof);
  return read === undefined ? undefined : readCommand(read.command);
};
