import { createLogUpdate } from 'log-update';
import type { RunHandle, RunView } from '../index.ts';
import type { Canvas } from './paint.ts';
import { canvasOf, isLive, type Terminal, type TextOutput } from './terminal.ts';

/** Why the following ended: the run did, or it stays as it is until a person acts, or we stopped. */
export type FollowEnd = 'ended' | 'needs-operator' | 'timed-out' | 'interrupted';

/** How runs of a use case are shown to people. */
export interface RunTelling<Progress> {
  tree: (view: RunView<Progress>, canvas: Canvas & { nowMs: number }) => string;
  /** What happened between two looks. */
  events: (before: Progress | null, now: Progress) => string[];
}

export interface FollowOptions<Progress> {
  /** Where the tree is drawn; lines of events where that is no terminal. */
  output: TextOutput;
  timeoutMs?: number;
  /** Called for each view, for output that is not for people. */
  onView?: (view: RunView<Progress>) => void;
  /** Nothing is drawn. */
  silent?: boolean;
}

/** As much of a run as is needed to follow it. */
export type FollowedRun<Progress> = Pick<RunHandle<unknown, Progress>, 'workflowId' | 'watch'>;

interface Drawing<Progress> {
  draw: (view: RunView<Progress>) => void;
  done: () => void;
}

/**
 * Follows a run until it has ended, needs an operator or is where it was to be followed to. Ctrl-C
 * ends the following, never the run.
 */
export const watchRun = async <Progress extends { status: string }>(
  terminal: Terminal,
  run: FollowedRun<Progress>,
  options: FollowOptions<Progress> & {
    telling: RunTelling<Progress>;
    isReached?: (progress: Progress) => boolean;
  },
): Promise<FollowEnd | 'reached'> => {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort('interrupted');
  // Not once: a listener that is gone when the drawing library hears of it lets that end this process.
  process.on('SIGINT', interrupt);
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => stop.abort('timed-out'), options.timeoutMs);
  const drawing = drawingFor(terminal, run, options);
  try {
    for await (const view of run.watch({ signal: stop.signal })) {
      drawing.draw(view);
      options.onView?.(view);
      const { progress, executionStatus } = view;
      if (progress === null || executionStatus !== 'RUNNING') continue;
      if (progress.status === 'needs-operator') return 'needs-operator';
      if (options.isReached?.(progress) === true) return 'reached';
    }
    return stop.signal.aborted ? (stop.signal.reason as FollowEnd) : 'ended';
  } finally {
    drawing.done();
    clearTimeout(timer);
    process.removeListener('SIGINT', interrupt);
  }
};

type DrawingOptions<Progress> = Pick<FollowOptions<Progress>, 'output' | 'silent'> & {
  telling: RunTelling<Progress>;
};

const drawingFor = <Progress>(
  terminal: Terminal,
  run: FollowedRun<Progress>,
  { output, silent, telling }: DrawingOptions<Progress>,
): Drawing<Progress> => {
  if (silent === true) return { draw: () => undefined, done: () => undefined };
  return isLive(output)
    ? liveTree(terminal, output, telling)
    : eventLines(run.workflowId, output, telling);
};

const liveTree = <Progress>(
  terminal: Terminal,
  output: TextOutput,
  { tree }: RunTelling<Progress>,
): Drawing<Progress> => {
  const logUpdate = createLogUpdate(output as NodeJS.WritableStream);
  return {
    draw: (view) => logUpdate(tree(view, { ...canvasOf(terminal, output), nowMs: Date.now() })),
    done: () => logUpdate.done(),
  };
};

const eventLines = <Progress>(
  workflowId: string,
  output: TextOutput,
  { events }: RunTelling<Progress>,
): Drawing<Progress> => {
  let before: Progress | null = null;
  let silence: string | null = null;
  return {
    draw: (view) => {
      const { progress } = view;
      const nowSilent = view.silence?.message ?? null;
      if (nowSilent !== null && nowSilent !== silence) {
        output.write(`${workflowId}: no answer from a worker: ${nowSilent}\n`);
      }
      silence = nowSilent;
      if (progress === null) return;
      for (const line of events(before, progress)) output.write(`${line}\n`);
      before = progress;
    },
    done: () => undefined,
  };
};
