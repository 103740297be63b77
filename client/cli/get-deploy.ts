import type { ServiceLockState } from '../../contracts/delivery/service-lock.ts';
import { openClient } from './open-client.ts';
import { OpsError, type DeployServiceHandle, type OpsClient, type RunSummary } from '../index.ts';
import type { CommandContext } from './command-context.ts';
import { lockCommand } from './command-lines.ts';
import { parseDurationFlag } from './duration-flag.ts';
import { followRun, sayWhatGoesOn, screenOf } from './follow-run.ts';
import type { GetFlags } from './get-verb.ts';
import { findRun, lookOnce, targetOf } from './look-at-run.ts';
import { paintTable, piece } from './paint.ts';
import { endExitCode, resultExitCode, tellResult } from './release-result.ts';
import { queueOf, renderQueue } from './render-queue.ts';
import { renderRun } from './render-run.ts';
import { requireEnvironment } from './required-environment.ts';
import { canvasOf, printJson, printLine, say, type Terminal } from './terminal.ts';

/** `holdfast get deploy` */
export const getDeploy = async (
  context: CommandContext,
  service: string | undefined,
  flags: GetFlags,
): Promise<void> => {
  const timeoutMs = parseDurationFlag('timeout', flags.timeout);
  await using ops = await openClient(undefined);
  if (service === undefined) {
    await list(context.terminal, ops, flags);
    return;
  }
  const environment = requireEnvironment(flags.environment);
  const run = await findRun(ops, { service, environment, release: flags.release });
  if (flags.watch === true) {
    const about = { run, service, environment, json: flags.json === true, timeoutMs };
    context.end(await watch(context.terminal, about));
  } else {
    const lock = () => lockOf(ops, { service, environment });
    await show(context.terminal, { run, lock, json: flags.json === true });
  }
};

const list = async (terminal: Terminal, ops: OpsClient, flags: GetFlags): Promise<void> => {
  const { environment, json } = flags;
  const runs = await ops.listRuns({
    workflow: 'deployService',
    ...(environment === undefined ? {} : { environment }),
  });
  if (json === true) {
    printJson(terminal, runs);
    return;
  }
  for (const line of renderList(runs, terminal)) printLine(terminal, line);
};

const renderList = (runs: readonly RunSummary[], terminal: Terminal): string[] => {
  if (runs.length === 0) return ['no releases yet'];
  const head = ['environment', 'service', 'release', 'status', 'stage', 'outcome', 'started'];
  const rows = runs.map(({ environment, service, release, status, stage, outcome, startedAt }) =>
    [environment, service, release, status, stage, outcome, startedAt].map((cell) =>
      piece(cell ?? '–'),
    ),
  );
  const canvas = canvasOf(terminal, terminal.stdout);
  return paintTable([head.map((title) => piece(title, 'faint')), ...rows], canvas);
};

const show = async (
  terminal: Terminal,
  about: { run: DeployServiceHandle; lock: () => Promise<ServiceLockState | null>; json: boolean },
): Promise<void> => {
  const { run, lock, json } = about;
  const view = await lookOnce(run);
  if (json) {
    const { progress, pods, counts, executionStatus } = view;
    printJson(terminal, {
      workflowId: run.workflowId,
      url: run.url,
      ...{ executionStatus, progress, pods, counts },
      waiting: await lock().then(queueOf, () => null),
    });
    return;
  }
  const canvas = { ...canvasOf(terminal, terminal.stdout), nowMs: Date.now() };
  printLine(terminal, renderRun(screenOf(run, view), canvas));
  // A worker that does not answer for the run does not answer for the lock either.
  if (view.silence === null) tellLock(terminal, await lock());
};

const lockOf = async (
  ops: OpsClient,
  { service, environment }: { service: string; environment: string },
): Promise<ServiceLockState | null> => {
  try {
    return await ops.services.state(environment, service);
  } catch (error) {
    // A release that was refused before it asked for the lock leaves no entity behind.
    if (error instanceof OpsError && error.code === 'RUN_NOT_FOUND') return null;
    throw error;
  }
};

/** Who waits for the lock; and what resolves a lock that waits for an operator. */
const tellLock = (terminal: Terminal, lock: ServiceLockState | null): void => {
  for (const line of renderQueue(queueOf(lock), canvasOf(terminal, terminal.stdout))) {
    printLine(terminal, line);
  }
  if (lock?.needsOperator === undefined) return;
  const { needsOperator, service, environment } = lock;
  say(terminal, `the lock of ${service} waits for an operator: ${needsOperator.why}`, 'bad');
  for (const verb of needsOperator.verbs) {
    say(terminal, `  ${lockCommand(verb, { service, environment })}`);
  }
};

const watch = async (
  terminal: Terminal,
  about: {
    run: DeployServiceHandle;
    service: string;
    environment: string;
    json: boolean;
    timeoutMs: number | undefined;
  },
): Promise<number> => {
  const { run, json, timeoutMs } = about;
  const end = await followRun(terminal, run, {
    output: terminal.stdout,
    silent: json,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(json
      ? { onView: ({ progress, pods, counts }) => printJson(terminal, { progress, pods, counts }) }
      : {}),
  });
  if (end !== 'ended') {
    sayWhatGoesOn(terminal, end, targetOf(run, about));
    return endExitCode(end);
  }
  const result = await run.result();
  tellResult(terminal, { run, result, json });
  return resultExitCode(result);
};
