import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import type { PodObservation, RetriedActivity, WatchObservation } from '../run-view.ts';
import { messageCommand } from './command-lines.ts';
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
  type Stage,
  type TreeNode,
} from './render-stages.ts';
import { countsLine, failedOf, rolloutLine } from './rollout-line.ts';

/** Everything that the live tree shows of one run. */
export interface RunScreen {
  /** Shown until the run's own account is there. */
  title: string;
  progress: DeployServiceProgress | null;
  /** Why there is no account of the run. */
  silence: string | null;
  pods: PodObservation | null;
  /** What the open window of a gate has counted. */
  counts: WatchObservation | null;
  retrying: readonly RetriedActivity[];
  url: string | null;
  /** Temporal's word for the run, e.g. `RUNNING`, `TERMINATED`. */
  executionStatus: string;
}

type Compensation = DeployServiceProgress['compensations'][number];

const compensationTones: Record<Compensation['outcome'], Tone> = {
  undone: 'good',
  'nothing-to-undo': 'faint',
  'foreign-change-preserved': 'busy',
  failed: 'bad',
  skipped: 'busy',
};

const statusTones: Record<DeployServiceProgress['status'], Tone> = {
  running: 'busy',
  paused: 'busy',
  waiting: 'busy',
  unwinding: 'bad',
  'needs-operator': 'bad',
  finished: 'strong',
};

/** The live tree of a run: stages, pods, gates, way back, and what it waits for. */
export const renderRun = (screen: RunScreen, canvas: Canvas & { nowMs: number }): string => {
  const lines = treeOf(screen, canvas.nowMs).map((pieces) => paintLine(pieces, canvas));
  // A link that is cut off is none: it wraps.
  const link = screen.url === null ? [] : [paint(screen.url, 'faint', canvas.colour)];
  return [...lines, ...link].join('\n');
};

const treeOf = (screen: RunScreen, nowMs: number): Piece[][] => {
  const { progress } = screen;
  if (progress === null) {
    return [[piece(screen.title, 'strong')], ...silenceLines(screen), ...closedLines(screen)];
  }
  return [
    titleLine(progress, nowMs),
    ...(progress.rollout === undefined ? [] : [rolloutLine(progress.rollout)]),
    ...branches(stageNodes(progress, screen, nowMs)),
    ...wayBackLines(progress),
    ...silenceLines(screen),
    ...failureLines(progress),
    ...waitingLines(progress, screen, nowMs),
    ...closedLines(screen),
  ];
};

const titleLine = (progress: DeployServiceProgress, nowMs: number): Piece[] => {
  const { service, release, environment, status, outcome } = progress;
  return [
    piece(`${service} ${release} → ${environment}`, 'strong'),
    piece(`   ${outcome ?? status}`, outcome === 'deployed' ? 'good' : statusTones[status]),
    piece(elapsedOf(progress, nowMs), 'faint'),
  ];
};

const stageNodes = (
  progress: DeployServiceProgress,
  { pods, counts, retrying }: RunScreen,
  nowMs: number,
): TreeNode[] => {
  const stages = inTimeOrder(progress.stages);
  const running = stages.findIndex(({ status }) => status === 'running');
  const width = Math.max(...stages.map(({ name }) => name.length), 0) + 2;
  return stages.map((stage, index) => ({
    line: stageLine(stage, width, nowMs),
    children: [
      ...(index === running ? podLines(pods) : []),
      ...(index === running && counts !== null ? [countsLine(counts)] : []),
      ...(index === running ? retrying.map(retryLine) : []),
      ...gateLines(progress, stage),
    ],
  }));
};

const podLines = (pods: PodObservation | null): Piece[][] =>
  (pods?.pods ?? []).map(({ name, ready, reason }) => [
    ready ? piece('✔', 'good') : piece('○', 'busy'),
    piece(` ${name}  `),
    piece(ready && reason === '' ? 'ready' : reason, 'faint'),
  ]);

/** The verdict of a stage, and of each metric in it. A pass that the stage tells already is not repeated. */
const gateLines = (
  { gates }: DeployServiceProgress,
  { name: stage, note: told }: Stage,
): Piece[][] =>
  gates
    .filter(({ name }) => name === stage || name.startsWith(`${stage}: `))
    .filter(({ verdict, note }) => verdict !== 'pass' || note === '' || note !== told)
    .map(({ name, verdict, samples, failures, note }) => [
      piece(verdict.replace('-', ' '), verdict === 'pass' ? 'good' : 'busy'),
      piece(name === stage ? '' : `  ${name.slice(stage.length + 2)}`),
      piece(samples > 0 ? `  ${failedOf({ samples, failures })}` : '', 'faint'),
      piece(note === '' || note === told ? '' : `  ${note}`, 'faint'),
    ]);

const wayBackLines = ({ compensations }: DeployServiceProgress): Piece[][] => {
  if (compensations.length === 0) return [];
  const nodes = compensations.map(({ step, outcome, note }) => ({
    line: [
      piece(outcome.replaceAll('-', ' '), compensationTones[outcome]),
      piece(`  ${step}`),
      piece(note === '' ? '' : `  ${note}`, 'faint'),
    ],
    children: [],
  }));
  return [[piece('way back', 'strong')], ...branches(nodes)];
};

const failureLines = ({ failure, failedStep }: DeployServiceProgress): Piece[][] => {
  if (failure === undefined) return [];
  const at = failedStep === undefined ? '' : ` in ${failedStep}`;
  const [first = '', ...rest] = failure.message.trimEnd().split('\n');
  return [
    [piece(`✖ ${failure.code}${at}`, 'bad'), piece(`  ${first}`)],
    ...rest.slice(-4).map((line) => [piece(`  ${line}`, 'faint')]),
  ];
};

const waitingLines = (
  progress: DeployServiceProgress,
  { executionStatus }: RunScreen,
  nowMs: number,
): Piece[][] => {
  const { waitingFor } = progress;
  if (waitingFor === undefined || endedFromOutside.has(executionStatus)) return [];
  return [
    waitingLine(waitingFor, nowMs),
    ...waitingFor.verbs.map((verb) => [piece(`  ${messageCommand(verb, progress)}`)]),
  ];
};
