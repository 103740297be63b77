import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  resolveStateDirectory,
  sandboxDown,
  sandboxStatus,
  type Sandbox,
} from '../../sandbox/index.ts';
import { bringUp, sandboxAddresses } from './bring-up.ts';
import { paintTable, piece } from './paint.ts';
import { ensureNamespace, sandboxAccess, writeEnvironments } from './sandbox-cluster.ts';
import type { StartFlags } from './start-verb.ts';
import { createStepProgress } from './step-progress.ts';
import { canvasOf, printLine, say, untilReaderGone, type Terminal } from './terminal.ts';
import { superviseWorker, type SupervisedWorker } from './supervised-worker.ts';

/** Environment that a started sandbox has; the examples name it. */
const environmentName = 'staging';

/** What a start leaves for the next one to find. */
interface StartRecord {
  pid: number;
  healthAddress: string;
}

/** `holdfast start`: everything on this machine, until Ctrl-C. Returns the exit code. */
export const start = async (terminal: Terminal, flags: StartFlags): Promise<number> => {
  const stateDirectory = await resolveStateDirectory();
  const recordFile = path.join(stateDirectory, 'start.json');
  const first = await runningStart(recordFile);
  const before = await sandboxStatus(stateDirectory);
  if (first !== undefined && before.sandbox !== undefined) {
    tellAddresses(terminal, before.sandbox, first.healthAddress);
    say(
      terminal,
      `Found running: process ${String(first.pid)} started it and Ctrl-C there stops it.`,
    );
    return 0;
  }
  const sandbox = await bringUp(terminal, flags);
  const environmentsFile = path.join(sandbox.stateDirectory, 'environments.yaml');
  await prepareEnvironment(sandbox, environmentsFile);
  const worker = await superviseWorker({
    settings: { environmentsFile },
    stateDirectory: sandbox.stateDirectory,
    onCrash: (how) =>
      say(terminal, `The workers ended with ${how}; they are started again.`, 'bad'),
  });
  const record: StartRecord = { pid: process.pid, healthAddress: worker.healthAddress };
  await writeFile(recordFile, JSON.stringify(record));
  tellAddresses(terminal, sandbox, worker.healthAddress);
  say(terminal, `From another directory: export HOLDFAST_STATE_DIR=${sandbox.stateDirectory}`);
  say(terminal, `Next: holdfast deploy -f docs/examples/shop/v1/holdfast.yaml --wait`);
  const keeps = before.state !== 'absent';
  say(
    terminal,
    keeps
      ? 'Ctrl-C stops the workers; the sandbox was there before and stays.'
      : 'Ctrl-C stops everything and removes it.',
  );
  const exitCode = await untilStopped(terminal, worker);
  await rm(recordFile, { force: true });
  if (!keeps) await takeDown(terminal, stateDirectory);
  return exitCode;
};

/** The environment `staging`: a namespace of its own, reached by the addresses of its Services. */
const prepareEnvironment = async (sandbox: Sandbox, file: string): Promise<void> => {
  const access = sandboxAccess(sandbox);
  await ensureNamespace(access, environmentName);
  await writeEnvironments(file, [
    {
      ...access,
      name: environmentName,
      namespace: environmentName,
      clusterUid: sandbox.kubernetes.clusterUid,
      traffic: sandbox.level === 2 ? 'cluster-ip' : 'none',
    },
  ]);
};

const untilStopped = async (terminal: Terminal, worker: SupervisedWorker): Promise<number> => {
  const signals = new AbortController();
  const { signal } = signals;
  const stopped = Promise.race([
    once(process, 'SIGINT', { signal }),
    once(process, 'SIGTERM', { signal }),
    untilReaderGone(),
  ]).then(() => 'asked' as const);
  const end = await Promise.race([stopped, worker.gaveUp.then(() => 'crashed' as const)]);
  // From here on a second Ctrl-C ends this process as the system does by default.
  signals.abort();
  await stopped.catch(() => undefined);
  if (end === 'asked') {
    say(terminal, 'Stopping.');
    await worker.stop();
    return 0;
  }
  say(terminal, `The workers ended again and again; their log is ${worker.logPath}.`, 'bad');
  return 1;
};

const takeDown = async (terminal: Terminal, stateDirectory: string): Promise<void> => {
  const progress = createStepProgress(terminal);
  try {
    await sandboxDown(stateDirectory, { onProgress: progress.report });
  } finally {
    progress.finish();
  }
};

const runningStart = async (recordFile: string): Promise<StartRecord | undefined> => {
  try {
    const record = JSON.parse(await readFile(recordFile, 'utf8')) as StartRecord;
    // A pid may belong to another process by now; an address that answers is ours.
    const answer = await fetch(`${record.healthAddress}/livez`);
    return answer.ok ? record : undefined;
  } catch {
    return undefined;
  }
};

const tellAddresses = (terminal: Terminal, sandbox: Sandbox, healthAddress: string): void => {
  const rows = [...sandboxAddresses(sandbox), ['workers', `${healthAddress}/readyz`]];
  const canvas = canvasOf(terminal, terminal.stdout);
  const pieces = rows.map(([name = '', value = '']) => [piece(name, 'faint'), piece(value)]);
  for (const line of paintTable(pieces, canvas)) printLine(terminal, line);
};
