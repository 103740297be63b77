import type { ServiceLockState } from '../../contracts/delivery/service-lock.ts';
import { openClient } from './open-client.ts';
import { OpsError, type DeployServiceHandle, type OpsClient, type RunSummary } from '../index.ts';
import type { CommandContext } from './command-context.ts';
import { parseDurationFlag } from './duration-flag.ts';
import { followRun, sayWhatGoesOn, screenOf } from './follow-run.ts';
import type { GetFlags } from './get-verb.ts';
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

/** The live run of a service, else the last one that ended. */
const findRun = async (
  ops: OpsClient,
  name: { service: string; environment: string; release: string | undefined },
): Promise<DeployServiceHandle> => {
  const { service, environment, release } = name;
  const { deployService } = ops.delivery;
  if (release !== undefined) return deployService.getHandle({ service, environment, release });
  try {
    return await deployService.getHandle({ service, environment });
  } catch (error) {
    if (!(error instanceof OpsError) || error.code !== 'RUN_NOT_FOUND') throw error;
    const runs = await ops.listRuns({ workflow: 'deployService', service, environment, limit: 1 });
    const [last] = runs;
    if (last === undefined) throw error;
    return deployService.getHandle(last.workflowId);
  }
};

const show = async (
  terminal: Terminal,
  about: { run: DeployServiceHandle; lock: () => Promise<ServiceLockState | null>; json: boolean },
): Promise<void> => {
  const { run, lock, json } = about;
  for await (const view of run.watch()) {
    if (json) {
      const { progress, pods, executionStatus } = view;
      printJson(terminal, {
        workflowId: run.workflowId,
        url: run.url,
        executionStatus,
        progress,
        pods,
        waiting: await lock().then(queueOf, () => null),
      });
    } else {
      const canvas = { ...canvasOf(terminal, terminal.stdout), nowMs: Date.now() };
      printLine(terminal, renderRun(screenOf(run, view), canvas));
      tellLock(terminal, await lock());
    }
    return;
  }
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
    say(terminal, `  holdfast lock ${service} -e ${environment} --${verb} --reason "…"`);
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
    ...(json ? { onView: ({ progress, pods }) => printJson(terminal, { progress, pods }) } : {}),
  });
  if (end !== 'ended') {
    sayWhatGoesOn(terminal, end, about);
    return endExitCode(end);
  }
  const result = await run.result();
  tellResult(terminal, { run, result, json });
  return resultExitCode(result);
};
