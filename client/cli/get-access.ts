import type { ManageAccessProgress } from '../../contracts/security/manage-access.ts';
import { OpsError, type ManageAccessHandle, type OpsClient, type RunView } from '../index.ts';
import { changeNameOf } from '../security/manage-access.ts';
import type { GetAccessFlags } from './access-change-verbs.ts';
import type { CommandContext } from './command-context.ts';
import { parseDurationFlag } from './duration-flag.ts';
import { accessScreen, followAccess, tellAccessLeft, tellAccessResult } from './follow-access.ts';
import { openClient } from './open-client.ts';
import { paintTable, piece } from './paint.ts';
import { renderAccess } from './render-access.ts';
import { canvasOf, printJson, printLine, type Terminal } from './terminal.ts';

/** `holdfast access get` */
export const getAccess = async (
  context: CommandContext,
  change: string | undefined,
  flags: GetAccessFlags,
): Promise<void> => {
  const timeoutMs = parseDurationFlag('timeout', flags.timeout);
  const { terminal } = context;
  const json = flags.json === true;
  await using ops = await openClient(undefined);
  if (change === undefined) {
    await list(terminal, ops, json);
    return;
  }
  const run = await ops.security.manageAccess.getHandle(change);
  if (flags.watch === true) context.end(await watch(terminal, run, { json, timeoutMs }));
  else await show(terminal, run, json);
};

const list = async (terminal: Terminal, ops: OpsClient, json: boolean): Promise<void> => {
  const runs = await ops.listRuns({ workflow: 'manageAccess' });
  const changes = runs.map(({ workflowId, runId, status, stage, outcome, startedAt, endedAt }) => ({
    change: changeNameOf(workflowId),
    ...{ workflowId, runId, status, stage, outcome, startedAt, endedAt },
  }));
  if (json) {
    printJson(terminal, changes);
    return;
  }
  if (changes.length === 0) {
    printLine(terminal, 'no changes of access yet');
    return;
  }
  const head = ['change', 'status', 'stage', 'outcome', 'started'];
  const rows = changes.map(({ change, status, stage, outcome, startedAt }) =>
    [change, status, stage, outcome, startedAt].map((cell) => piece(cell ?? '–')),
  );
  const canvas = canvasOf(terminal, terminal.stdout);
  for (const line of paintTable([head.map((title) => piece(title, 'faint')), ...rows], canvas)) {
    printLine(terminal, line);
  }
};

const show = async (terminal: Terminal, run: ManageAccessHandle, json: boolean): Promise<void> => {
  const view = await lookOnce(run);
  if (json) {
    const { progress, executionStatus } = view;
    printJson(terminal, { workflowId: run.workflowId, url: run.url, executionStatus, progress });
    return;
  }
  const canvas = { ...canvasOf(terminal, terminal.stdout), nowMs: Date.now() };
  printLine(terminal, renderAccess(accessScreen(run, view), canvas));
};

const lookOnce = async (run: ManageAccessHandle): Promise<RunView<ManageAccessProgress>> => {
  for await (const view of run.watch()) return view;
  throw new OpsError({ code: 'RUN_NOT_FOUND', message: `There is no run ${run.workflowId}.` });
};

const watch = async (
  terminal: Terminal,
  run: ManageAccessHandle,
  { json, timeoutMs }: { json: boolean; timeoutMs: number | undefined },
): Promise<number> => {
  const followed = await followAccess(terminal, run, {
    goal: 'end',
    output: terminal.stdout,
    silent: json,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(json ? { onView: ({ progress }) => printJson(terminal, { progress }) } : {}),
  });
  if (followed.end !== 'ended') return tellAccessLeft(terminal, run, followed);
  return tellAccessResult(terminal, { run, result: await run.result(), json });
};
