import { Option } from 'commander';
import type { Terminal } from './terminal.ts';

/** What every command works with. */
export interface CommandContext {
  terminal: Terminal;
  /** Sets the exit code of the process; the command then returns. */
  end: (exitCode: number) => void;
}

export const environmentOption = (): Option =>
  new Option('-e, --environment <name>', 'environment of the service').env('HOLDFAST_ENVIRONMENT');

export const jsonOption = (): Option => new Option('--json', 'print JSON for machines');

export const reasonOption = (): Option =>
  new Option('--reason <text>', 'why, in one sentence; kept as evidence').makeOptionMandatory();

export const actorOption = (): Option =>
  new Option('--actor <name>', 'who asks; the user and host unless given').env('HOLDFAST_ACTOR');
