import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import { formatElapsed } from './paint.ts';
import { failedOf, madeText } from './rollout-line.ts';

/**
 * What happened between two looks at a run, a line for each event: the output where
 * no terminal can repaint.
 */
export const narrateChanges = (
  before: DeployServiceProgress | null,
  now: DeployServiceProgress,
): string[] => [
  ...stageEvents(before, now),
  ...rolloutEvents(before?.rollout, now.rollout),
  ...gateEvents(before, now),
  ...wayBackEvents(before, now),
  ...failureEvents(before, now),
  ...statusEvents(before, now),
];

/** What every run has, whatever its use case. */
interface AnyProgress {
  stages: readonly Stage[];
  status: string;
  waitingFor?: { what: string; verbs: readonly string[] } | undefined;
}

export const stageEvents = (before: AnyProgress | null, now: AnyProgress): string[] =>
  now.stages.flatMap((stage) => {
    const previous = before?.stages.find(({ name }) => name === stage.name);
    const { name, status, note } = stage;
    if (status === 'pending' || (previous?.status === status && previous.note === note)) return [];
    return [`${name}: ${status.replace('-', ' ')}${tookOf(stage)}${afterComma(note)}`];
  });

type Stage = DeployServiceProgress['stages'][number];

const tookOf = ({ startedAtMs, endedAtMs }: Stage): string =>
  startedAtMs === undefined || endedAtMs === undefined
    ? ''
    : ` after ${formatElapsed(endedAtMs - startedAtMs)}`;

const afterComma = (note: string): string => (note === '' ? '' : `, ${note}`);

type Rollout = DeployServiceProgress['rollout'];

const rolloutEvents = (before: Rollout, now: Rollout): string[] => {
  if (now === undefined) return [];
  const { weightPercent, heldAtPercent } = now;
  const moved = before?.weightPercent !== weightPercent;
  const held = heldAtPercent !== undefined && before?.heldAtPercent !== heldAtPercent;
  return [
    ...(moved ? [`weight: ${String(weightPercent)} %${madeText(now)}`] : []),
    ...(held ? [`weight: held at ${String(heldAtPercent)} % by an operator`] : []),
  ];
};

const gateEvents = (before: DeployServiceProgress | null, now: DeployServiceProgress): string[] =>
  now.gates.slice(before?.gates.length ?? 0).map(({ name, verdict, samples, failures, note }) => {
    const counts = samples > 0 ? `, ${failedOf({ samples, failures })}` : '';
    return `gate ${name}: ${verdict.replace('-', ' ')}${counts}${afterComma(note)}`;
  });

const wayBackEvents = (
  before: DeployServiceProgress | null,
  now: DeployServiceProgress,
): string[] => {
  const known = before?.compensations ?? [];
  return now.compensations
    .filter(
      ({ step, outcome }) =>
        !known.some((other) => other.step === step && other.outcome === outcome),
    )
    .map(({ step, outcome, note }) => {
      return `way back: ${step}: ${outcome.replaceAll('-', ' ')}${afterComma(note)}`;
    });
};

export const statusEvents = (before: AnyProgress | null, now: AnyProgress): string[] => [
  ...waitEvents(before, now),
  ...(before?.status !== now.status && now.status !== 'running' ? [`status: ${now.status}`] : []),
];

const failureEvents = (
  before: DeployServiceProgress | null,
  { failure }: DeployServiceProgress,
): string[] => {
  if (failure === undefined || before?.failure !== undefined) return [];
  return [`failed: ${failure.code}: ${failure.message}`];
};

const waitEvents = (before: AnyProgress | null, { waitingFor }: AnyProgress): string[] => {
  if (waitingFor === undefined || before?.waitingFor?.what === waitingFor.what) return [];
  return [`waits for ${waitingFor.what} (${waitingFor.verbs.join(', ')})`];
};
