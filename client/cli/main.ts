import { createProgram } from './program.ts';
import { reportError } from './report-error.ts';
import { processTerminal } from './terminal.ts';

const terminal = processTerminal();
const wantsJson = process.argv.includes('--json');

try {
  await createProgram({ terminal, end: (exitCode) => (process.exitCode = exitCode) }).parseAsync();
} catch (error) {
  process.exitCode = reportError(terminal, error, wantsJson);
}
