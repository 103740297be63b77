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
import {
  commandProblem,
  commandTimeProblem,
  readCommand,
  readProof,
} from '../../domain/security/signed-command.ts';
import type { Command, CommandPlace } from '../../domain/security/signed-command.ts';

/** Where the proofs of messages are looked at, as far as that needs no key. */
export interface CommandDesk {
  /** Why the proof is not for this place, was used before, or nothing is looked at now. */
  problem(message: Message, place: CommandPlace): string | undefined;
  /**
   * Why a proof that was for this place when it came is not taken any more. Of the run it does not
   * speak: one that is reset goes through what it took again, under another run id.
   */
  problemSince(message: Message, atMs: number): string | undefined;
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
  const spentProblem = (atMs: number): string | undefined => {
    if (allowance === undefined || mayBeRefused(allowance, atMs)) return undefined;
    const again = new Date(nextAllowedAtMs(allowance)).toISOString();
    return `too many messages were refused; the next one is looked at after ${again}`;
  };
  const usedProblem = ({ nonce }: Command): string | undefined =>
    isUsed(memory.usedNonces ?? [], nonce) ? 'the proof was used before' : undefined;
  return {
    problem(message, place) {
      const spent = spentProblem(place.atMs);
      if (spent !== undefined) return spent;
      // A proof of another kind is for the activity to judge.
      if (message.proof === undefined || readProof(message.proof) === undefined) return undefined;
      const command = commandIn(message);
      if (command === undefined) return 'the command in the proof cannot be read';
      return commandProblem(command, place) ?? usedProblem(command);
    },
    problemSince(message, atMs) {
      const command = commandIn(message);
      const problem =
        command === undefined
          ? undefined
          : (commandTimeProblem(command, atMs) ?? usedProblem(command));
      return spentProblem(atMs) ?? problem;
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
