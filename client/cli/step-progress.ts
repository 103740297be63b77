import { createLogUpdate } from 'log-update';
import { formatElapsed, paintLine, piece } from './paint.ts';
import { canvasOf, isLive, type Terminal } from './terminal.ts';

/** One report of a step that takes time. */
export interface StepReport {
  step: string;
  message: string;
  elapsedMs: number;
}

export interface StepProgress {
  report: (report: StepReport) => void;
  /** Ends the drawing; what was drawn stays. */
  finish: () => void;
}

/** Steps that repaint where a terminal can, and a line for each change where none can. */
export const createStepProgress = (terminal: Terminal): StepProgress =>
  isLive(terminal.stderr) ? repainting(terminal) : line(terminal);

const repainting = (terminal: Terminal): StepProgress => {
  const logUpdate = createLogUpdate(terminal.stderr as NodeJS.WritableStream);
  const steps = new Map<string, StepReport>();
  const draw = (): void => {
    const canvas = canvasOf(terminal, terminal.stderr);
    const lines = [...steps.values()].map(({ message, elapsedMs }) =>
      paintLine(
        [piece('● ', 'busy'), piece(`${message}  `), piece(formatElapsed(elapsedMs), 'faint')],
        canvas,
      ),
    );
    logUpdate(lines.join('\n'));
  };
  return {
    report: (report) => {
      steps.set(report.step, report);
      draw();
    },
    finish: () => logUpdate.done(),
  };
};

// Silence of more than this looks like a hang in a log.
const repeatEveryMs = 15_000;

const line = (terminal: Terminal): StepProgress => {
  const told = new Map<string, { message: string; atMs: number }>();
  return {
    report: ({ step, message, elapsedMs }) => {
      const last = told.get(step);
      const isNews = last?.message !== message || elapsedMs - last.atMs >= repeatEveryMs;
      if (!isNews) return;
      told.set(step, { message, atMs: elapsedMs });
      const elapsed = elapsedMs < 1_000 ? '' : ` (${formatElapsed(elapsedMs)})`;
      terminal.stderr.write(`${message}${elapsed}\n`);
    },
    finish: () => undefined,
  };
};
