import { createLogUpdate } from 'log-update';
import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import type { DeployServiceHandle, RunView } from '../index.ts';
import { lookCommand, messageCommand, type CommandTarget } from './command-lines.ts';
import { narrateChanges } from './narrate-run.ts';
import { renderRun, type RunScreen } from './render-run.ts';
import { canvasOf, isLive, say, type Terminal, type TextOutput } from './terminal.ts';

type View = RunView<DeployServiceProgress>;

/** Why the following ended: the run did, or it stays as it is until a person acts, or we stopped. */
export type FollowEnd = 'ended' | 'needs-operator' | 'timed-out' | 'interrupted';

export interface FollowOptions {
  /** Where the tree is drawn; lines of events where that is no terminal. */
  output: TextOutput;
  timeoutMs?: number;
  /** Called for each view, for output that is not for people. */
  onView?: (view: View) => void;
  /** Nothing is drawn. */
  silent?: boolean;
}

interface Drawing {
  draw: (view: View) => void;
  done: () => void;
}

/** Follows a run until it has ended or needs an operator. Ctrl-C ends the following, never the run. */
export const followRun = async (
  terminal: Terminal,
  run: DeployServiceHandle,
  options: FollowOptions,
): Promise<FollowEnd> => {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort('interrupted');
  process.once('SIGINT', interrupt);
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => stop.abort('timed-out'), options.timeoutMs);
  const drawing = drawingFor(terminal, run, options);
  try {
    for await (const view of run.watch({ signal: stop.signal })) {
      drawing.draw(view);
      options.onView?.(view);
      if (view.executionStatus === 'RUNNING' && view.progress?.status === 'needs-operator') {
        return 'needs-operator';
      }
    }
    return stop.signal.aborted ? (stop.signal.reason as FollowEnd) : 'ended';
  } finally {
    drawing.done();
    clearTimeout(timer);
    process.removeListener('SIGINT', interrupt);
  }
};

const drawingFor = (
  terminal: Terminal,
  run: DeployServiceHandle,
  { output, silent }: FollowOptions,
): Drawing => {
  if (silent === true) return { draw: () => undefined, done: () => undefined };
  return isLive(output) ? liveTree(terminal, run, output) : eventLines(run, output);
};

const liveTree = (terminal: Terminal, run: DeployServiceHandle, output: TextOutput): Drawing => {
  const logUpdate = createLogUpdate(output as NodeJS.WritableStream);
  return {
    draw: (view) => {
      const canvas = { ...canvasOf(terminal, output), nowMs: Date.now() };
      logUpdate(renderRun(screenOf(run, view), canvas));
    },
    done: () => logUpdate.done(),
  };
};

const eventLines = (run: DeployServiceHandle, output: TextOutput): Drawing => {
  let before: DeployServiceProgress | null = null;
  let silence: string | null = null;
  return {
    draw: (view) => {
      const { progress } = view;
      const nowSilent = view.silence?.message ?? null;
      if (nowSilent !== null && nowSilent !== silence) {
        output.write(`${run.workflowId}: no answer from a worker: ${nowSilent}\n`);
      }
      silence = nowSilent;
      if (progress === null) return;
      for (const line of narrateChanges(before, progress)) output.write(`${line}\n`);
      before = progress;
    },
    done: () => undefined,
  };
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
