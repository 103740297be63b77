import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import type { DeployServiceHandle, RunView } from '../index.ts';
import { lookCommand, messageCommand, type CommandTarget } from './command-lines.ts';
import { narrateChanges } from './narrate-run.ts';
import { renderRun, type RunScreen } from './render-run.ts';
import { say, type Terminal } from './terminal.ts';
import { watchRun, type FollowEnd, type FollowOptions } from './watch-run.ts';

type View = RunView<DeployServiceProgress>;

/** Follows a release until it has ended or needs an operator. Ctrl-C ends the following, never the run. */
export const followRun = async (
  terminal: Terminal,
  run: DeployServiceHandle,
  options: FollowOptions<DeployServiceProgress>,
): Promise<FollowEnd> => {
  const tree = (view: View, canvas: Parameters<typeof renderRun>[1]) =>
    renderRun(screenOf(run, view), canvas);
  const telling = { tree, events: narrateChanges };
  const end = await watchRun(terminal, run, { ...options, telling });
  return end === 'reached' ? 'ended' : end;
};

/** What the tree shows of a view. */
export const screenOf = (run: DeployServiceHandle, view: View): RunScreen => ({
  title: run.workflowId,
  progress: view.progress,
  silence: view.silence?.message ?? null,
  pods: view.pods,
  counts: view.counts,
  retrying: view.retrying,
  url: run.url ?? null,
  executionStatus: view.executionStatus,
});

/** What a person can do about a run that nobody follows any more. */
export const sayWhatGoesOn = (terminal: Terminal, end: FollowEnd, target: CommandTarget): void => {
  if (end === 'needs-operator') {
    say(terminal, 'The run waits for an operator; the verbs above resolve it.');
    return;
  }
  say(terminal, 'The release goes on without this command.');
  say(terminal, `follow it: ${lookCommand('get deploy', target)} --watch`);
  say(terminal, `why it is where it is: ${lookCommand('deploy explain', target)}`);
  say(terminal, `put it back: ${messageCommand('abort', target)}`);
};
