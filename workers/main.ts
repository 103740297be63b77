import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { errors } from '../contracts/errors.ts';
import { printableConfig, readConfig } from './config.ts';
import { runWorkers } from './running-workers.ts';
import { StartError } from './start-error.ts';

export { readConfig } from './config.ts';
export { runWorkers, type RunningWorkers } from './running-workers.ts';

/** Runs workers until a signal comes; prints one line of JSON when they poll. */
const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { 'print-config': { type: 'boolean', default: false } },
  });
  const config = readConfig();
  if (values['print-config']) {
    process.stdout.write(`${printableConfig(config)}\n`);
    return;
  }
  const workers = await runWorkers(config);
  // A second signal finds no handler and ends the process as the system does by default.
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void workers.stop());
  const { healthAddress: health, codecAddress: codec } = workers;
  process.stdout.write(`${JSON.stringify({ ready: true, health, codec })}\n`);
  // Where NODE_COMPILE_CACHE is set, the next start is faster also after a crash of this one.
  flushCompileCache();
  await workers.finished;
};

const exitCodeOf = (error: unknown): number =>
  errors[error instanceof StartError ? error.code : 'INTERNAL'].exitCode;

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
