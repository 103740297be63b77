import type { ManageAccessProgress } from '../../contracts/security/manage-access.ts';
import type { RetriedActivity } from '../run-view.ts';
import { accessCommand } from './command-lines.ts';
import { paint, paintLine, piece, type Canvas, type Piece, type Tone } from './paint.ts';
import {
  branches,
  closedLines,
  elapsedOf,
  endedFromOutside,
  inTimeOrder,
  retryLine,
  silenceLines,
  stageLine,
  waitingLine,
  type TreeNode,
} from './render-stages.ts';

/** Everything that is shown of one change of access. */
export interface AccessScreen {
  /** By which commands name the run. */
  change: string;
  progress: ManageAccessProgress | null;
  /** Why there is no account of the run. */
  silence: string | null;
  retrying: readonly RetriedActivity[];
  url: string | null;
  /** Temporal's word for the run, e.g. `RUNNING`, `TERMINATED`. */
  executionStatus: string;
}

type Progress = ManageAccessProgress;

const statusTones: Record<Progress['status'], Tone> = {
  running: 'busy',
  waiting: 'busy',
  'needs-operator': 'bad',
  finished: 'strong',
};

const goodOutcomes: ReadonlySet<string> = new Set(['changed', 'unchanged', 'certified']);

const targetMarks: Record<Progress['targets'][number]['state'], Piece> = {
  pending: piece('○', 'faint'),
  taken: piece('✔', 'good'),
  failed: piece('✖', 'bad'),
};

/** A change of access: stages, who gets and loses what, targets, and what it waits for. */
export const renderAccess = (screen: AccessScreen, canvas: Canvas & { nowMs: number }): string => {
  const lines = linesOf(screen, canvas.nowMs).map((pieces) => paintLine(pieces, canvas));
  // A link that is cut off is none: it wraps.
  const link = screen.url === null ? [] : [paint(screen.url, 'faint', canvas.colour)];
  return [...lines, ...link].join('\n');
};

const linesOf = (screen: AccessScreen, nowMs: number): Piece[][] => {
  const { progress, change } = screen;
  if (progress === null) {
    return [[piece(change, 'strong')], ...silenceLines(screen), ...closedLines(screen)];
  }
  return [
    titleLine(change, progress, nowMs),
    ...branches(stageNodes(progress, screen, nowMs)),
    ...under('roles', roleLines(progress)),
    ...under('targets', targetLines(progress)),
    ...silenceLines(screen),
    ...waitingLines(screen, progress, nowMs),
    ...closedLines(screen),
  ];
};

const titleLine = (change: string, progress: Progress, nowMs: number): Piece[] => {
  const { status, outcome } = progress;
  const isGood = outcome !== undefined && goodOutcomes.has(outcome);
  return [
    piece(change, 'strong'),
    piece(`   ${outcome?.replaceAll('-', ' ') ?? status}`, isGood ? 'good' : statusTones[status]),
    piece(elapsedOf(progress, nowMs), 'faint'),
  ];
};

const stageNodes = (progress: Progress, { retrying }: AccessScreen, nowMs: number): TreeNode[] => {
  const stages = inTimeOrder(progress.stages);
  const running = stages.findIndex(({ status }) => status === 'running');
  const width = Math.max(...stages.map(({ name }) => name.length), 0) + 2;
  return stages.map((stage, index) => ({
    line: stageLine(stage, width, nowMs),
    children: index === running ? retrying.map(retryLine) : [],
  }));
};

const under = (title: string, lines: readonly Piece[][]): Piece[][] =>
  lines.length === 0 ? [] : [[piece(title, 'strong')], ...lines];

/** Roles that somebody loses, gets and keeps; only of people for whom anything is known. */
const roleLines = ({ before, after }: Progress): Piece[][] => {
  const people = [...new Set([...before, ...after].map(({ person }) => person))].sort();
  return people.flatMap((person) => {
    const had = rolesOf(before, person);
    const has = rolesOf(after, person);
    const changes = [
      ...had.filter((role) => !has.includes(role)).map((role) => change('−', role, 'bad')),
      ...has.filter((role) => !had.includes(role)).map((role) => change('+', role, 'good')),
      ...has.filter((role) => had.includes(role)).map((role) => change(' ', role, 'faint')),
    ];
    const nothing = [[piece('    no roles', 'faint')]];
    return [[piece(`  ${person}`)], ...(changes.length === 0 ? nothing : changes)];
  });
};

const rolesOf = (all: Progress['before'], person: string): string[] =>
  all.find((one) => one.person === person)?.roles ?? [];

const change = (mark: string, role: string, tone: Tone): Piece[] => [
  piece(`  ${mark} ${role}`, tone),
];

const targetLines = ({ targets }: Progress): Piece[][] =>
  targets.map(({ target, state, note }) => [
    piece('  '),
    targetMarks[state],
    piece(` ${target}  ${state}`),
    piece(note === '' ? '' : `  ${note}`, 'faint'),
  ]);

const waitingLines = (
  { change: name, executionStatus }: AccessScreen,
  { waitingFor }: Progress,
  nowMs: number,
): Piece[][] => {
  if (waitingFor === undefined || endedFromOutside.has(executionStatus)) return [];
  return [
    waitingLine(waitingFor, nowMs),
    ...waitingFor.verbs.map((verb) => [piece(`  ${accessCommand(verb, name)}`)]),
  ];
};
