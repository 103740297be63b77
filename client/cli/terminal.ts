import type { Readable } from 'node:stream';
import { colourAllowed } from './config.ts';
import { paint, type Canvas, type Tone } from './paint.ts';

/** The part of a stream that the command line writes to. */
export interface TextOutput {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** Where a command talks: data on stdout, everything else on stderr. */
export interface Terminal {
  stdout: TextOutput;
  stderr: TextOutput;
  stdin: Readable & { isTTY?: boolean };
  /** May a person be asked something? */
  canAsk: boolean;
  /** May output be coloured, where it goes to a terminal? */
  colour: boolean;
}

// Nothing is cut off where a program or a file reads it.
const pipeWidthChars = 10_000;
const defaultWidthChars = 80;

export const processTerminal = (): Terminal => {
  process.stdout.on('error', endWithReader);
  process.stderr.on('error', goOnUnheard);
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    canAsk: process.stdin.isTTY && process.stderr.isTTY,
    colour: colourAllowed(),
  };
};

const readerGone = Promise.withResolvers<undefined>();
let isAwaited = false;

/**
 * Settles when what is written to stdout reaches nobody any more. Who waits for it has something to
 * take down and ends by itself; any other command ends at that moment.
 */
export const untilReaderGone = async (): Promise<void> => {
  isAwaited = true;
  await readerGone.promise;
};

/** `holdfast … | head` has seen enough: the command ends quietly, as others do. */
const endWithReader = (error: NodeJS.ErrnoException): void => {
  readerGone.resolve(undefined);
  if (isAwaited) return;
  if (error.code !== 'EPIPE') throw error;
  process.exit();
};

/** Ctrl-C also ends the `tee` behind `2>&1`, a disk is full: what is said then nobody can hear. */
const goOnUnheard = (): void => undefined;

/** Can the output be repainted? */
export const isLive = (output: TextOutput): boolean => output.isTTY === true;

export const canvasOf = (terminal: Terminal, output: TextOutput): Canvas => ({
  widthChars: isLive(output) ? (output.columns ?? defaultWidthChars) : pipeWidthChars,
  colour: terminal.colour && isLive(output),
});

/** A line of data. */
export const printLine = (terminal: Terminal, text: string): void => {
  terminal.stdout.write(`${text}\n`);
};

export const printJson = (terminal: Terminal, value: unknown): void => {
  terminal.stdout.write(`${JSON.stringify(value)}\n`);
};

/** A line of talk: what is going on, what to do next. */
export const say = (terminal: Terminal, text: string, tone: Tone = 'plain'): void => {
  const { colour } = canvasOf(terminal, terminal.stderr);
  terminal.stderr.write(`${paint(text, tone, colour)}\n`);
};
