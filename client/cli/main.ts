import { enableCompileCache } from 'node:module';

// Before anything else is loaded: without it every start strips types and compiles anew, and
// `--help` takes twice as long.
enableCompileCache();

const { createProgram } = await import('./program.ts');
const { reportError } = await import('./report-error.ts');
const { processTerminal } = await import('./terminal.ts');

const terminal = processTerminal();
const wantsJson = process.argv.includes('--json');

try {
  await createProgram({ terminal, end: (exitCode) => (process.exitCode = exitCode) }).parseAsync();
} catch (error) {
  process.exitCode = reportError(terminal, error, wantsJson);
}
