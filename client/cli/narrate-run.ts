import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import { formatElapsed } from './paint.ts';

/**
 * What happened between two looks at a run, a line for each event: the output where
 * no terminal can repaint.
 */
export const narrateChanges = (
  before: DeployServiceProgress | null,
  now: DeployServiceProgress,
): string[] => [
  ...stageEvents(before, now),
  ...gateEvents(before, now),
  ...wayBackEvents(before, now),
  ...statusEvents(before, now),
];

const stageEvents = (before: DeployServiceProgress | null, now: DeployServiceProgress): string[] =>
  now.stages.flatMap((stage) => {
    const previous = before?.stages.find(({ name }) => name === stage.name);
    const { name, status, note, startedAtMs, endedAtMs } = stage;
    if (status === 'pending' || (previous?.status === status && previous.note === note)) return [];
    const took =
      startedAtMs === undefined || endedAtMs === undefined
        ? ''
        : ` after ${formatElapsed(endedAtMs - startedAtMs)}`;
    return [`${name}: ${status.replace('-', ' ')}${took}${note === '' ? '' : `, ${note}`}`];
  });

const gateEvents = (before: DeployServiceProgress | null, now: DeployServiceProgress): string[] =>
  now.gates.slice(before?.gates.length ?? 0).map(({ name, verdict, samples, failures, note }) => {
    const counts = samples > 0 ? `, ${String(failures)} of ${String(samples)} failed` : '';
    return `gate ${name}: ${verdict.replace('-', ' ')}${counts}${note === '' ? '' : `, ${note}`}`;
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
      return `way back: ${step}: ${outcome.replaceAll('-', ' ')}${note === '' ? '' : `, ${note}`}`;
    });
};

const statusEvents = (
  before: DeployServiceProgress | null,
  now: DeployServiceProgress,
): string[] => {
  const events: string[] = [];
  if (now.failure !== undefined && before?.failure === undefined) {
    events.push(`failed: ${now.failure.code}: ${now.failure.message}`);
  }
  if (now.waitingFor !== undefined && before?.waitingFor?.what !== now.waitingFor.what) {
    events.push(`waits for ${now.waitingFor.what} (${now.waitingFor.verbs.join(', ')})`);
  }
  if (before?.status !== now.status && now.status !== 'running') {
    events.push(`status: ${now.status}`);
  }
  return events;
};
