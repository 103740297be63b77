import { openClient } from './open-client.ts';
import { OpsError, type OpsClient, type StartedDeployService } from '../index.ts';
import { readSurroundings } from '../config.ts';
import type { CommandContext } from './command-context.ts';
import { messageCommand } from './command-lines.ts';
import { readDeployRequest } from './deploy-request.ts';
import type { DeployFlags } from './deploy-verb.ts';
import { planRelease } from './dry-run.ts';
import { parseDurationFlag } from './duration-flag.ts';
import { followRun, sayWhatGoesOn } from './follow-run.ts';
import { targetOf } from './look-at-run.ts';
import { endExitCode, resultExitCode, tellResult } from './release-result.ts';
import { renderPlan } from './render-plan.ts';
import { exitCodes } from './report-error.ts';
import { canvasOf, printJson, printLine, say, type Terminal } from './terminal.ts';
import type { DeployServiceRequest } from '../delivery/deploy-service.ts';

/** `holdfast deploy` */
export const deploy = async (
  { terminal, end }: CommandContext,
  flags: DeployFlags,
): Promise<void> => {
  const timeoutMs = parseDurationFlag('timeout', flags.timeout);
  const request = await readDeployRequest(terminal, flags);
  if (flags.adopt === true && flags.dryRun !== true) await confirmAdoption(terminal, flags);
  await using ops = await openClient(flags.actor);
  if (flags.dryRun === true) {
    await showPlan(terminal, ops, { request, json: flags.json === true });
    return;
  }
  const { idempotencyKey } = flags;
  const run = await ops.delivery.deployService.start(
    request,
    idempotencyKey === undefined ? {} : { idempotencyKey },
  );
  tellStart(terminal, run, flags);
  if (flags.wait === true) {
    end(await waitForEnd(terminal, run, { request, flags, timeoutMs }));
  } else if ((request.approvals ?? []).length > 0) {
    const command = messageCommand('approve', targetOf(run, request));
    say(terminal, `It waits for an approval: ${command}`);
    end(exitCodes.waitsForApproval);
  }
};

const showPlan = async (
  terminal: Terminal,
  ops: OpsClient,
  { request, json }: { request: DeployServiceRequest; json: boolean },
): Promise<void> => {
  const plan = await planRelease(ops, request, readSurroundings().queuePrefix);
  if (json) printJson(terminal, plan);
  else printLine(terminal, renderPlan(plan, canvasOf(terminal, terminal.stdout)));
};

const tellStart = (
  terminal: Terminal,
  { workflowId, runId, url, started }: StartedDeployService,
  flags: DeployFlags,
): void => {
  if (flags.json === true) {
    if (flags.wait !== true) printJson(terminal, { workflowId, runId, url, started });
    return;
  }
  say(terminal, `${started ? 'started' : 'found'} ${workflowId}`);
  if (url !== undefined) say(terminal, url, 'faint');
  if (flags.wait !== true) printLine(terminal, workflowId);
};

const waitForEnd = async (
  terminal: Terminal,
  run: StartedDeployService,
  about: { request: DeployServiceRequest; flags: DeployFlags; timeoutMs: number | undefined },
): Promise<number> => {
  const { request, flags, timeoutMs } = about;
  const follow = await followRun(terminal, run, {
    output: terminal.stderr,
    silent: flags.json === true,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  if (follow !== 'ended') {
    sayWhatGoesOn(terminal, follow, targetOf(run, request));
    return endExitCode(follow);
  }
  const result = await run.result();
  tellResult(terminal, { run, result, json: flags.json === true });
  return resultExitCode(result);
};

const confirmAdoption = async (terminal: Terminal, flags: DeployFlags): Promise<void> => {
  if (flags.yes === true) return;
  const question = 'Objects that Helm, Argo CD or Flux manage will be taken over. Go on?';
  const { confirm } = await import('./confirm.ts');
  if (await confirm(terminal, question)) return;
  throw new OpsError({
    code: 'INVALID_INPUT',
    message: '--adopt was not confirmed. Nothing was changed.',
    next: 'Read the plan with --dry-run, then repeat the command with --yes.',
    subject: '--adopt',
  });
};
