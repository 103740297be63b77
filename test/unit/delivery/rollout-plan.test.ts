import { describe, expect, test } from '@jest/globals';
import {
  afterShift,
  afterStep,
  canSetWeight,
  firstRolloutState,
  nextAction,
  nextWeight,
  planRollout,
  promotedFully,
  scaleAheadMs,
  withHeldWeight,
  withoutHold,
} from '../../../domain/delivery/rollout-plan.ts';
import type {
  RolloutPlan,
  RolloutState,
  RolloutStrategy,
} from '../../../domain/delivery/rollout-plan.ts';

const minuteMs = 60_000;

/** The ladder of the requirement: 10 % for 10 minutes, 50 % for 10 minutes, then all. */
const ladder = [
  { weightPercent: 10, forMs: 10 * minuteMs },
  { weightPercent: 50, forMs: 10 * minuteMs },
];
const canary: RolloutStrategy = { type: 'canary', route: 'shop', steps: ladder };
const blueGreen: RolloutStrategy = { type: 'blue-green', steps: [], retainMs: 60 * minuteMs };

/** Names of everything that is done from a state on, in order. */
const walk = (plan: RolloutPlan, from: RolloutState = firstRolloutState): string[] => {
  const seen: string[] = [];
  let state = from;
  while (seen.length < 50) {
    const action = nextAction(plan, state);
    if (action.act === 'finished') return seen;
    if (action.act === 'hold') return [...seen, `hold ${action.weightPercent}`];
    if (action.act === 'shift') {
      seen.push(`set ${action.weightPercent}`);
      state = afterShift(state, action.weightPercent);
      continue;
    }
    const { step } = action;
    seen.push('weightPercent' in step ? `${step.kind} ${step.weightPercent}` : step.kind);
    state = afterStep(state, action);
  }
  throw new Error('the plan does not end');
};

describe('the steps of a strategy', () => {
  test('rolling updates in place and then verifies', () => {
    expect(walk(planRollout({ type: 'rolling' }, { hasCandidate: false }))).toEqual([
      'update',
      'verify',
    ]);
  });

  test('recreate stops the old version before the new one starts', () => {
    expect(walk(planRollout({ type: 'recreate' }, { hasCandidate: false }))).toEqual([
      'stop',
      'update',
      'verify',
    ]);
  });

  test('blue-green switches at once, keeps the old version, then folds back', () => {
    expect(walk(planRollout(blueGreen, { hasCandidate: true }))).toEqual([
      'stage',
      'preview',
      'shift 100',
      'verify',
      'retain',
      'update',
      'return',
    ]);
  });

  test('a ladder watches every stop before it gives more', () => {
    expect(walk(planRollout(canary, { hasCandidate: true }))).toEqual([
      'stage',
      'preview',
      'shift 10',
      'watch 10',
      'shift 50',
      'watch 50',
      'shift 100',
      'verify',
      'update',
      'return',
    ]);
  });

  test('where nothing is to be shifted every strategy updates in place', () => {
    for (const strategy of [canary, blueGreen]) {
      expect(walk(planRollout(strategy, { hasCandidate: false }))).toEqual(['update', 'verify']);
    }
  });
});

/** The state before the first action that is not one of these. */
const stateAt = (plan: RolloutPlan, name: string): RolloutState => {
  let state = firstRolloutState;
  for (;;) {
    const action = nextAction(plan, state);
    if (action.act !== 'run') throw new Error(`${name} is not reached`);
    const { step } = action;
    const label = 'weightPercent' in step ? `${step.kind} ${step.weightPercent}` : step.kind;
    if (label === name) return state;
    state = afterStep(state, action);
  }
};

describe('what operators ask for', () => {
  const plan = planRollout(canary, { hasCandidate: true });

  test('a weight that is set is held until promote, which goes on upwards', () => {
    const at10 = withHeldWeight(stateAt(plan, 'watch 10'), 30);
    expect(walk(plan, at10)).toEqual(['set 30', 'hold 30']);
    const held = afterShift(at10, 30);
    expect(walk(plan, withoutHold(held))).toEqual([
      'shift 50',
      'watch 50',
      'shift 100',
      'verify',
      'update',
      'return',
    ]);
  });

  test('a weight below the present one goes down', () => {
    expect(walk(plan, withHeldWeight(stateAt(plan, 'watch 50'), 5))).toEqual(['set 5', 'hold 5']);
  });

  test('a weight above a stop leaves that stop out', () => {
    const held = afterShift(withHeldWeight(stateAt(plan, 'shift 50'), 70), 70);
    expect(walk(plan, withoutHold(held))).toEqual(['shift 100', 'verify', 'update', 'return']);
  });

  test('a weight that is set before the candidate is up is kept for later', () => {
    const early = withHeldWeight(firstRolloutState, 40);
    expect(walk(plan, early)).toEqual(['stage', 'preview', 'set 40', 'hold 40']);
  });

  test('promoteFull gives everything at once and watches nothing more', () => {
    expect(walk(plan, promotedFully(stateAt(plan, 'watch 10')))).toEqual([
      'shift 100',
      'update',
      'return',
    ]);
  });

  test('weights can be set until the new version has everything', () => {
    expect(canSetWeight(plan, firstRolloutState)).toBe(true);
    expect(canSetWeight(plan, stateAt(plan, 'watch 50'))).toBe(true);
    expect(canSetWeight(plan, stateAt(plan, 'verify'))).toBe(false);
    const rolling = planRollout({ type: 'rolling' }, { hasCandidate: false });
    expect(canSetWeight(rolling, firstRolloutState)).toBe(false);
  });
});

describe('the pods of the next share', () => {
  const plan = planRollout(canary, { hasCandidate: true });
  const at = (weightPercent: number): RolloutState => ({ ...firstRolloutState, weightPercent });

  test.each([
    [0, 10],
    [10, 50],
    [25, 50],
    [50, 100],
    [100, undefined],
  ])('after %s %% comes %s %%', (weightPercent, next) => {
    expect(nextWeight(plan, at(weightPercent))).toBe(next);
  });

  test('nobody knows what comes after a weight that an operator holds', () => {
    expect(nextWeight(plan, withHeldWeight(at(10), 10))).toBeUndefined();
    expect(nextWeight(plan, promotedFully(at(10)))).toBeUndefined();
  });

  test('they start twice as early as the first pods took, and ten seconds early at least', () => {
    expect(scaleAheadMs(90_000)).toBe(180_000);
    expect(scaleAheadMs(800)).toBe(10_000);
  });
});
