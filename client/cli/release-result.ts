import { errors } from '../../contracts/errors.ts';
import type { DeployServiceHandle, DeployServiceResult } from '../index.ts';
import { renderProof } from './render-proof.ts';
import { exitCodes } from './report-error.ts';
import { canvasOf, printJson, printLine, say, type Terminal } from './terminal.ts';
import type { FollowEnd } from './watch-run.ts';

/** Exit code of a command that has followed a release to its end. */
export const resultExitCode = ({ outcome }: DeployServiceResult): number =>
  outcome === 'deployed' ? exitCodes.ok : exitCodes.rolledBack;

const endExitCodes: Record<Exclude<FollowEnd, 'ended'>, number> = {
  'needs-operator': errors.COMPENSATION_FAILED.exitCode,
  'timed-out': exitCodes.watchTimedOut,
  interrupted: exitCodes.interrupted,
};

/** Exit code of a command that stopped following before the release ended. */
export const endExitCode = (end: Exclude<FollowEnd, 'ended'>): number => endExitCodes[end];

/** Prints how a release ended: the proof as data, the story around it as talk. */
export const tellResult = (
  terminal: Terminal,
  about: { run: DeployServiceHandle; result: DeployServiceResult; json: boolean },
): void => {
  const { run, result } = about;
  if (about.json) {
    printJson(terminal, { workflowId: run.workflowId, runId: run.runId, url: run.url, ...result });
    return;
  }
  printLine(terminal, `${run.workflowId}: ${result.outcome.replaceAll('-', ' ')}`);
  printLine(terminal, renderProof(result.proof, canvasOf(terminal, terminal.stdout)));
  const { failure } = result;
  if (failure === undefined) return;
  say(
    terminal,
    `${failure.code}${result.failedStep === undefined ? '' : ` in ${result.failedStep}`}: ${failure.message}`,
    'bad',
  );
  if (failure.next !== undefined) say(terminal, `next: ${failure.next}`);
};
