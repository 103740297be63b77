import {
  examineMachine,
  resolveStateDirectory,
  type DoctorCheck,
  sandboxDown,
  sandboxLogs,
  sandboxStatus,
} from '../../sandbox/index.ts';
import { OpsError, type OpsClient } from '../index.ts';
import { openClient } from './open-client.ts';
import { bringUp, sandboxAddresses } from './bring-up.ts';
import type { CommandContext } from './command-context.ts';
import { paintTable, piece, type Tone } from './paint.ts';
import type { SandboxFlags } from './sandbox-verbs.ts';
import { createStepProgress } from './step-progress.ts';
import { canvasOf, printJson, printLine, say, type Terminal } from './terminal.ts';

/** `holdfast sandbox up` */
export const up = async ({ terminal }: CommandContext, flags: SandboxFlags): Promise<void> => {
  const sandbox = await bringUp(terminal, flags);
  if (flags.json === true) printJson(terminal, sandbox);
  else printRows(terminal, sandboxAddresses(sandbox));
};

/** `holdfast sandbox down` */
export const down = async ({ terminal }: CommandContext): Promise<void> => {
  const stateDirectory = await resolveStateDirectory();
  const progress = createStepProgress(terminal);
  try {
    await sandboxDown(stateDirectory, { onProgress: progress.report });
  } finally {
    progress.finish();
  }
  say(terminal, `The sandbox of ${stateDirectory} is gone.`);
};

const brokenExitCode = 1;
const absentExitCode = 3;

/** `holdfast sandbox status` */
export const status = async (
  { terminal, end }: CommandContext,
  flags: SandboxFlags,
): Promise<void> => {
  const found = await sandboxStatus(await resolveStateDirectory());
  if (flags.json === true) printJson(terminal, found);
  else {
    const addresses = found.sandbox === undefined ? [] : sandboxAddresses(found.sandbox);
    const processes = found.processes.map(({ name, running, pid }): [string, string] => [
      name,
      running ? `runs, process ${String(pid ?? 'unknown')}` : 'has ended',
    ]);
    printRows(terminal, [['sandbox', found.state], ...addresses, ...processes]);
  }
  if (found.state === 'broken') {
    say(terminal, 'next: `holdfast sandbox up` starts again what has ended.');
    end(brokenExitCode);
  }
  if (found.state === 'absent') end(absentExitCode);
};

/** `holdfast sandbox logs` */
export const logs = async (
  { terminal }: CommandContext,
  part: string | undefined,
  flags: SandboxFlags,
): Promise<void> => {
  const lineCount = Number(flags.lines);
  if (!Number.isInteger(lineCount) || lineCount < 1) {
    throw new OpsError({
      code: 'INVALID_INPUT',
      message: '--lines: must be a number above 0. Nothing was done.',
      subject: '--lines',
    });
  }
  const found = await sandboxLogs(await resolveStateDirectory(), {
    lineCount,
    ...(part === undefined ? {} : { process: part }),
  });
  for (const { name, path, text } of found) {
    say(terminal, `${name}  ${path}`, 'strong');
    printLine(terminal, text);
  }
};

const verdictTones: Record<DoctorCheck['verdict'], Tone> = {
  ok: 'good',
  repaired: 'good',
  warning: 'busy',
  missing: 'bad',
};

/** `holdfast sandbox doctor` */
export const doctor = async (
  { terminal, end }: CommandContext,
  flags: SandboxFlags,
): Promise<void> => {
  const stateDirectory = await resolveStateDirectory();
  const checks = await withReachableClient(async (client) =>
    examineMachine({ stateDirectory, repair: true, ...(client === undefined ? {} : { client }) }),
  );
  if (flags.json === true) printJson(terminal, checks);
  else {
    const canvas = canvasOf(terminal, terminal.stdout);
    const rows = checks.flatMap(({ id, verdict, evidence, fix }) => [
      [piece(verdict, verdictTones[verdict]), piece(id), piece(evidence)],
      ...(fix === undefined ? [] : [[piece(''), piece(''), piece(`→ ${fix}`, 'strong')]]),
    ]);
    for (const line of paintTable(rows, canvas)) printLine(terminal, line);
  }
  if (checks.some(({ verdict }) => verdict === 'missing')) end(brokenExitCode);
};

/** Runs without a worker are looked for where a server answers; that none does is no error here. */
const withReachableClient = async <T>(
  use: (client: OpsClient['temporal'] | undefined) => Promise<T>,
): Promise<T> => {
  let ops: OpsClient;
  try {
    ops = await openClient(undefined);
  } catch (error) {
    if (error instanceof OpsError && error.code === 'TEMPORAL_UNREACHABLE') return use(undefined);
    throw error;
  }
  try {
    return await use(ops.temporal);
  } finally {
    await ops.close();
  }
};

const printRows = (terminal: Terminal, rows: readonly [string, string][]): void => {
  const canvas = canvasOf(terminal, terminal.stdout);
  const pieces = rows.map(([name, value]) => [piece(name, 'faint'), piece(value)]);
  for (const line of paintTable(pieces, canvas)) printLine(terminal, line);
};
