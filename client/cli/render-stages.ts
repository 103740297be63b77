import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import type { RetriedActivity } from '../run-view.ts';
import { formatElapsed, piece, type Piece } from './paint.ts';

/** A stage of a run, of any use case. */
export type Stage = DeployServiceProgress['stages'][number];

const stageMarks: Record<Stage['status'], Piece> = {
  pending: piece('○', 'faint'),
  running: piece('●', 'busy'),
  done: piece('✔', 'good'),
  failed: piece('✖', 'bad'),
  skipped: piece('–', 'faint'),
  'not-measured': piece('?', 'busy'),
};

/** One line of the tree, and what is below it. */
export interface TreeNode {
  line: Piece[];
  children: Piece[][];
}

/** How long it has taken, or took. */
export const elapsedOf = (
  { stages, status }: { stages: readonly Stage[]; status: string },
  nowMs: number,
): string => {
  const starts = stages.flatMap(({ startedAtMs }) => startedAtMs ?? []);
  const ends = stages.flatMap(({ endedAtMs }) => endedAtMs ?? []);
  const end = status === 'finished' && ends.length > 0 ? Math.max(...ends) : nowMs;
  return starts.length === 0 ? '' : `   ${formatElapsed(end - Math.min(...starts))}`;
};

/** What was not planned, such as a weight that an operator set, comes where it happened. */
export const inTimeOrder = (stages: readonly Stage[]): Stage[] => {
  const timeOf = ({ startedAtMs, endedAtMs }: Stage): number =>
    startedAtMs ?? endedAtMs ?? Number.POSITIVE_INFINITY;
  return stages.toSorted((left, right) => {
    const [before, after] = [timeOf(left), timeOf(right)];
    return before === after ? 0 : before - after;
  });
};

export const stageLine = (stage: Stage, width: number, nowMs: number): Piece[] => {
  const { name, status, note, startedAtMs, endedAtMs } = stage;
  const elapsed =
    startedAtMs === undefined ? '' : formatElapsed((endedAtMs ?? nowMs) - startedAtMs);
  return [
    stageMarks[status],
    piece(` ${name.padEnd(width)}`, status === 'pending' ? 'faint' : 'plain'),
    piece(elapsed.padEnd(8), 'faint'),
    piece(note === '' && status === 'not-measured' ? 'not measured' : note),
  ];
};

export const retryLine = (retry: RetriedActivity): Piece[] => [
  piece('↻', 'busy'),
  piece(` ${retry.activity}, attempt ${String(retry.attempt)}: `, 'faint'),
  piece(retry.lastFailure),
];

export const branches = (nodes: readonly TreeNode[]): Piece[][] =>
  nodes.flatMap(({ line, children }, index) => {
    const isLast = index === nodes.length - 1;
    const below = isLast ? '   ' : '│  ';
    return [
      [piece(isLast ? '└─ ' : '├─ ', 'faint'), ...line],
      ...children.map((child, position) => {
        const corner = position === children.length - 1 ? '└─ ' : '├─ ';
        return [piece(`${below}${corner}`, 'faint'), ...child];
      }),
    ];
  });

/** What a run waits for, and how long it does. */
export const waitingLine = (
  { what, deadlineAtMs }: { what: string; deadlineAtMs?: number | undefined },
  nowMs: number,
): Piece[] => {
  const left = deadlineAtMs === undefined ? '' : `, ${formatElapsed(deadlineAtMs - nowMs)} left`;
  return [piece('waits for ', 'busy'), piece(what, 'strong'), piece(left, 'faint')];
};

export const silenceLines = ({ silence }: { silence: string | null }): Piece[][] =>
  silence === null ? [] : [[piece('no answer from a worker: ', 'busy'), piece(silence)]];

/** A run that was ended from outside says of itself that it runs; what is true is said below. */
export const closedLines = ({ executionStatus }: { executionStatus: string }): Piece[][] =>
  endedFromOutside.has(executionStatus)
    ? [[piece(`the run was ended from outside: ${executionStatus.toLowerCase()}`, 'bad')]]
    : [];

export const endedFromOutside: ReadonlySet<string> = new Set(['TERMINATED', 'TIMED_OUT']);
