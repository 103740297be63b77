/**
 * How a new version takes the place of the one before, as data. `planRollout` lays out the
 * steps of a strategy; `nextAction` says from the plan and what has happened what to do now.
 * One engine for every strategy, and for whatever else is shifted by weight.
 */

/** A stop on the way to all traffic. */
export interface WeightStep {
  /** Share of the traffic that the candidate gets, 1–99. */
  readonly weightPercent: number;
  /** How long the candidate is watched there before it may get more. */
  readonly forMs: number;
}

export type RolloutStrategy =
  | { readonly type: 'rolling' }
  | { readonly type: 'recreate' }
  | {
      readonly type: 'blue-green';
      /** HTTPRoute whose weights are shifted; without it the Services are switched at once. */
      readonly route?: string | undefined;
      readonly steps: readonly WeightStep[];
      /** How long the version before stays at full size after the switch. */
      readonly retainMs: number;
    }
  | {
      readonly type: 'canary';
      /** HTTPRoute whose weights are shifted; without it the numbers of pods make the share. */
      readonly route?: string | undefined;
      readonly steps: readonly WeightStep[];
    };

export type RolloutStep =
  /** Take the old version away and wait until its last pod is gone. */
  | { readonly kind: 'stop' }
  /** Write the user's own objects and wait for their pods. */
  | { readonly kind: 'update' }
  /** Bring up the candidate beside the stable version; it gets no traffic. */
  | { readonly kind: 'stage' }
  /** Check the candidate through its preview Service. */
  | { readonly kind: 'preview' }
  /** Give the candidate this share of the traffic. */
  | { readonly kind: 'shift'; readonly weightPercent: number }
  /** Watch the candidate under the traffic it has. */
  | { readonly kind: 'watch'; readonly weightPercent: number; readonly forMs: number }
  /** Smoke and bake of the new version under all traffic. */
  | { readonly kind: 'verify' }
  /** Keep the version before at full size, ready to take everything back. */
  | { readonly kind: 'retain'; readonly forMs: number }
  /** Give the traffic back to the user's own objects, which run the new version by now. */
  | { readonly kind: 'return' };

export interface RolloutPlan {
  readonly strategy: RolloutStrategy['type'];
  readonly steps: readonly RolloutStep[];
}

const rolling: RolloutPlan = {
  strategy: 'rolling',
  steps: [{ kind: 'update' }, { kind: 'verify' }],
};

/** The two versions never run at the same time, and in between nobody serves. */
const recreate: RolloutPlan = {
  strategy: 'recreate',
  steps: [{ kind: 'stop' }, { kind: 'update' }, { kind: 'verify' }],
};

/**
 * The steps of a strategy. Where no pod template changes, or nothing runs yet, there is nothing
 * to shift: whatever the strategy, the objects are updated in place.
 */
export const planRollout = (
  strategy: RolloutStrategy,
  facts: { readonly hasCandidate: boolean },
): RolloutPlan => {
  if (strategy.type === 'rolling') return rolling;
  if (strategy.type === 'recreate') return recreate;
  if (!facts.hasCandidate) return { ...rolling, strategy: strategy.type };
  const ladder = strategy.steps.flatMap(({ weightPercent, forMs }): RolloutStep[] => [
    { kind: 'shift', weightPercent },
    { kind: 'watch', weightPercent, forMs },
  ]);
  const retained: RolloutStep[] =
    strategy.type === 'blue-green' && strategy.retainMs > 0
      ? [{ kind: 'retain', forMs: strategy.retainMs }]
      : [];
  return {
    strategy: strategy.type,
    steps: [
      { kind: 'stage' },
      { kind: 'preview' },
      ...ladder,
      { kind: 'shift', weightPercent: 100 },
      { kind: 'verify' },
      ...retained,
      { kind: 'update' },
      { kind: 'return' },
    ],
  };
};

/** What has happened of a plan, and what operators asked for. */
export interface RolloutState {
  /** Steps that are over: done, skipped or left out. */
  readonly stepsOver: number;
  /** Share of the traffic that the new version was given last. */
  readonly weightPercent: number;
  /** An operator set this weight; the rollout stays there until `promote`. */
  readonly heldAtPercent?: number;
  /** `promoteFull`: nothing more is watched or waited for. */
  readonly isFull: boolean;
}

export const firstRolloutState: RolloutState = { stepsOver: 0, weightPercent: 0, isFull: false };

export type RolloutAction =
  | { readonly act: 'run'; readonly step: RolloutStep; readonly index: number }
  /** Shift to the weight that an operator set. */
  | { readonly act: 'shift'; readonly weightPercent: number }
  /** Stay until an operator says `promote`. */
  | { readonly act: 'hold'; readonly weightPercent: number }
  | { readonly act: 'finished' };

/** Steps that only look or wait; `promoteFull` leaves them out. */
const onlyLooks = ({ kind }: RolloutStep): boolean =>
  kind === 'preview' || kind === 'watch' || kind === 'verify' || kind === 'retain';

/** A stop that an operator went past has neither a shift to make nor anything left to watch. */
const isBelow = (step: RolloutStep, weightPercent: number): boolean =>
  (step.kind === 'shift' && step.weightPercent <= weightPercent) ||
  (step.kind === 'watch' && step.weightPercent < weightPercent);

const isLeftOut = (step: RolloutStep, state: RolloutState): boolean => {
  if (!state.isFull) return isBelow(step, state.weightPercent);
  return onlyLooks(step) || (step.kind === 'shift' && step.weightPercent < 100);
};

/** The first step that is neither over nor left out; `steps.length` when there is none. */
const positionOf = (plan: RolloutPlan, state: RolloutState): number => {
  const at = plan.steps.findIndex(
    (step, index) => index >= state.stepsOver && !isLeftOut(step, state),
  );
  return at < 0 ? plan.steps.length : at;
};

/** The share that follows by the plan; undefined where an operator holds the weight or decides. */
export const nextWeight = (plan: RolloutPlan, state: RolloutState): number | undefined => {
  if (state.heldAtPercent !== undefined || state.isFull) return undefined;
  return plan.steps
    .slice(state.stepsOver)
    .flatMap((step) => (step.kind === 'shift' ? [step.weightPercent] : []))
    .find((weightPercent) => weightPercent > state.weightPercent);
};

const shortestLeadMs = 10_000;

/** How long before the end of a stop the pods of the next share start: twice what others took. */
export const scaleAheadMs = (firstPodsTookMs: number): number =>
  Math.max(shortestLeadMs, 2 * firstPodsTookMs);

/** May weights be set now? Only between the candidate being up and it having everything. */
export const canSetWeight = (plan: RolloutPlan, state: RolloutState): boolean => {
  const staged = plan.steps.findIndex(({ kind }) => kind === 'stage');
  const full = plan.steps.findIndex((step) => step.kind === 'shift' && step.weightPercent === 100);
  return staged >= 0 && state.stepsOver <= full;
};

/** What to do now. Equal input gives an equal answer; nothing is remembered in between. */
export const nextAction = (plan: RolloutPlan, state: RolloutState): RolloutAction => {
  const index = positionOf(plan, state);
  const step = plan.steps[index];
  if (step === undefined) return { act: 'finished' };
  const { heldAtPercent, weightPercent } = state;
  const isBeside = step.kind === 'shift' || step.kind === 'watch';
  if (heldAtPercent !== undefined && isBeside && !state.isFull) {
    return heldAtPercent === weightPercent
      ? { act: 'hold', weightPercent }
      : { act: 'shift', weightPercent: heldAtPercent };
  }
  return { act: 'run', step, index };
};

/** After a step ended, or was skipped. */
export const afterStep = (
  state: RolloutState,
  { step, index }: { readonly step: RolloutStep; readonly index: number },
): RolloutState => ({
  ...state,
  stepsOver: index + 1,
  weightPercent: weightAfter(state, step),
});

const weightAfter = (state: RolloutState, step: RolloutStep): number => {
  if (step.kind === 'shift') return step.weightPercent;
  return step.kind === 'update' ? 100 : state.weightPercent;
};

export const afterShift = (state: RolloutState, weightPercent: number): RolloutState => ({
  ...state,
  weightPercent,
});

/** `setWeight`: go there and stay. */
export const withHeldWeight = (state: RolloutState, heldAtPercent: number): RolloutState => ({
  ...state,
  heldAtPercent,
});

/** `promote`: leave the weight that was set, and go on with the plan. */
export const withoutHold = ({ heldAtPercent: _left, ...state }: RolloutState): RolloutState =>
  state;

/** `promoteFull`: everything to the new version, without looking any more. */
export const promotedFully = (state: RolloutState): RolloutState => ({
  ...withoutHold(state),
  isFull: true,
});
