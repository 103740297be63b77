/** One line of the stage table that operators watch. */
export interface Stage {
  name: string;
  status: StageStatus;
  note: string;
  startedAtMs?: number | undefined;
  endedAtMs?: number | undefined;
}

export type StageStatus = 'pending' | 'running' | 'done' | 'failed' | 'skipped' | 'not-measured';

const pending = (name: string): Stage => ({ name, status: 'pending', note: '' });

/** What every release goes through; the steps of the plan are put in when they are known. */
export const firstStages = (): Stage[] =>
  ['validate', 'lock', 'plan', 'approval', 'pre-image', 'write', 'endpoints', 'smoke', 'bake']
    .concat(['prove', 'finalise'])
    .map(pending);

/** Puts the steps of the plan in the place of the stage `write`, also after planning again. */
export const withSteps = (stages: readonly Stage[], steps: readonly string[]): Stage[] => {
  const from = stages.findIndex(({ name }) => name === 'pre-image') + 1;
  const to = stages.findIndex(({ name }) => name === 'endpoints');
  return [...stages.slice(0, from), ...steps.map(pending), ...stages.slice(to)];
};

/** Puts the lines of a whole rollout in the place of its steps, endpoints, smoke and bake. */
export const withRollout = (stages: readonly Stage[], lines: readonly string[]): Stage[] => {
  const from = stages.findIndex(({ name }) => name === 'pre-image') + 1;
  const to = stages.findIndex(({ name }) => name === 'prove');
  return [...stages.slice(0, from), ...lines.map(pending), ...stages.slice(to)];
};

/** The alerts of the new version come last; a plan that is made again finds them there. */
export const withAlerts = (stages: readonly Stage[]): Stage[] => {
  const at = stages.findIndex(({ name }) => name === 'prove');
  return stages.some(({ name }) => name === 'alerts')
    ? [...stages]
    : [...stages.slice(0, at), pending('alerts'), ...stages.slice(at)];
};

/** Puts lines behind the one of this name. */
export const withLinesAfter = (
  stages: readonly Stage[],
  name: string,
  lines: readonly string[],
): Stage[] => {
  const at = stages.findIndex((stage) => stage.name === name) + 1;
  return [...stages.slice(0, at), ...lines.map(pending), ...stages.slice(at)];
};

export const withStage = (stages: readonly Stage[], name: string): Stage[] =>
  stages.some((stage) => stage.name === name) ? [...stages] : [...stages, pending(name)];

export const beginStage = (stages: readonly Stage[], name: string, nowMs: number): Stage[] =>
  withStage(stages, name).map((stage) =>
    stage.name === name ? { name, status: 'running', note: '', startedAtMs: nowMs } : stage,
  );

export const noteStage = (stages: readonly Stage[], name: string, note: string): Stage[] =>
  stages.map((stage) => (stage.name === name ? { ...stage, note } : stage));

export const endStage = (
  stages: readonly Stage[],
  name: string,
  end: { status: StageStatus; note?: string; nowMs: number },
): Stage[] =>
  withStage(stages, name).map((stage) =>
    stage.name === name
      ? { ...stage, status: end.status, note: end.note ?? stage.note, endedAtMs: end.nowMs }
      : stage,
  );

/** When the way back begins, nothing that was not begun will run any more. */
export const closeForward = (stages: readonly Stage[], nowMs: number): Stage[] =>
  stages.map((stage) => {
    if (stage.status === 'running') return { ...stage, status: 'failed', endedAtMs: nowMs };
    return stage.status === 'pending'
      ? { ...stage, status: 'skipped', note: 'not reached' }
      : stage;
  });
