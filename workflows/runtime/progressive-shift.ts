import { afterShift, afterStep, nextAction } from '../../domain/delivery/rollout-plan.ts';
import type { RolloutPlan, RolloutState, RolloutStep } from '../../domain/delivery/rollout-plan.ts';

/** A rollout under way. Messages change its state; the next decision goes by it. */
export interface Rollout {
  readonly plan: RolloutPlan;
  state: RolloutState;
  /** How often an operator said `promote`; a step that only waits ends at the next one. */
  promotions: number;
}

/** What the steps mean for the thing that is shifted. */
export interface ShiftMoves {
  run(step: RolloutStep): Promise<void>;
  /** Gives the candidate this share, outside the plan's own steps. */
  shift(weightPercent: number): Promise<void>;
  /** Returns when an operator lets the rollout go on, or asks for another weight. */
  hold(weightPercent: number): Promise<void>;
  /** The state changed; a good moment to show it. */
  changed(): void;
}

/** Does what the plan says next until there is nothing left. Fails as soon as a step fails. */
export const progressiveShift = async (rollout: Rollout, moves: ShiftMoves): Promise<void> => {
  for (;;) {
    const action = nextAction(rollout.plan, rollout.state);
    if (action.act === 'finished') return;
    if (action.act === 'hold') await moves.hold(action.weightPercent);
    if (action.act === 'shift') {
      await moves.shift(action.weightPercent);
      rollout.state = afterShift(rollout.state, action.weightPercent);
    }
    if (action.act === 'run') {
      await moves.run(action.step);
      rollout.state = afterStep(rollout.state, action);
    }
    moves.changed();
  }
};
