import { createInterface } from 'node:readline/promises';
import type { Terminal } from './terminal.ts';

/** Asks a person; where there is none, the answer is no. */
export const confirm = async (terminal: Terminal, question: string): Promise<boolean> => {
  if (!terminal.canAsk) return false;
  const dialogue = createInterface({
    input: terminal.stdin,
    output: terminal.stderr as NodeJS.WritableStream,
  });
  try {
    const answer = await dialogue.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    dialogue.close();
  }
};
