import { condition } from '@temporalio/workflow';
import type { PlannedChange } from '../../activities/kubernetes/port.ts';
import type { Candidate, RolloutPhase } from '../../domain/delivery/candidate.ts';
import { defaultWatch } from '../../domain/delivery/default-watch.ts';
import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import { withRollout } from '../../domain/delivery/release-stage.ts';
import { firstRolloutState, planRollout } from '../../domain/delivery/rollout-plan.ts';
import type { RolloutPlan, RolloutStep } from '../../domain/delivery/rollout-plan.ts';
import { progressiveShift } from '../runtime/progressive-shift.ts';
import type { Rollout, ShiftMoves } from '../runtime/progressive-shift.ts';
import { announce } from './announce.ts';
import { drainStage, drainStages } from './drain-connections.ts';
import { openExposure, withinBudget } from './exposure-budget.ts';
import { holdWeight } from './hold-weight.ts';
import { bakeGate } from './measure-gates.ts';
import { previewCandidate, previewStages } from './preview-candidate.ts';
import { stagesOf } from './prepare-release.ts';
import type { PreparedRelease } from './prepare-release.ts';
import { offerLock } from './release-lock.ts';
import type { ReleaseRun } from './release-run.ts';
import { rollOut } from './roll-out.ts';
import type { RollOutTask } from './roll-out.ts';
import { begin, end } from './run-step.ts';
import type { RolledOut } from './serving.ts';
import { whileScalingAhead } from './scale-ahead.ts';
import { alertsStage, setUpAlerts } from './set-up-alerts.ts';
import { returnByPods, shareByPods, showStagedPods } from './share-by-pods.ts';
import { returnStage, returnTraffic, shiftStage, shiftTraffic } from './shift-traffic.ts';
import type { WayBack } from './unwind-release.ts';
import {
  linesAfterBake,
  usersTarget,
  verifyRelease,
  verifyUnderTraffic,
} from './verify-release.ts';

/** Everything that the steps of one rollout need. */
interface RolloutTask extends RollOutTask {
  rollout: Rollout;
}

/** Takes the new version to where the plan says, by the steps of its strategy. */
export const carryOut = async (
  run: ReleaseRun,
  prepared: PreparedRelease,
  back: WayBack,
): Promise<void> => {
  const { candidate } = prepared.plan;
  const plan = planRollout(run.input.strategy, { hasCandidate: candidate !== undefined });
  const rollout: Rollout = { plan, state: firstRolloutState, promotions: 0 };
  const task = { run, prepared, back, rollout };
  if (candidate === undefined) {
    await withinBudget(run, () => progressiveShift(rollout, inPlaceMoves(task)));
    return;
  }
  run.rollout = rollout;
  run.state.stages = withRollout(run.state.stages, linesOf(plan, factsOf(task, candidate)));
  const moves = candidateMoves({ ...task, candidate });
  moves.changed();
  await withinBudget(run, () => progressiveShift(rollout, moves));
};

/** The user's own objects are updated; a workload that is recreated serves nobody meanwhile. */
const inPlaceMoves = (task: RolloutTask): ShiftMoves => {
  const { run, prepared, back } = task;
  let rolledOut: RolledOut[] = [];
  let stoppedAtMs: number | undefined;
  const noteInterruption = (): void => {
    if (stoppedAtMs === undefined) return;
    run.note(`nobody served for ${(Date.now() - stoppedAtMs) / 1_000} s`);
  };
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    async run({ kind }) {
      if (kind === 'stop') {
        const startedAtMs = Date.now();
        if ((await rollOut(task, 'stop')).length > 0) stoppedAtMs = startedAtMs;
      }
      if (kind === 'update') {
        openExposure(run);
        rolledOut = await rollOut(task);
        noteInterruption();
      }
      if (kind !== 'verify') return;
      await verifyRelease(run, prepared, rolledOut);
      await setUpAlerts(run, prepared, back);
    },
    shift: nothing,
    hold: nothing,
    changed: () => undefined,
  };
};

export interface CandidateTask extends RolloutTask {
  candidate: Candidate;
}

/** The new version beside the stable one, and the traffic between them. */
const candidateMoves = (task: CandidateTask): ShiftMoves => {
  const { run, rollout } = task;
  return {
    run: (step) => runStep(task, step),
    shift: (weightPercent) => giveShare(task, weightPercent),
    hold: (weightPercent) => holdWeight(task, weightPercent),
    changed: () => {
      const { weightPercent, heldAtPercent } = rollout.state;
      const { strategy } = rollout.plan;
      if (strategy === 'rolling' || strategy === 'recreate') return;
      const measured = run.measuredPercent;
      const achieved = run.podShare?.achievedPercent;
      run.state.rollout = {
        strategy,
        weightPercent,
        ...(achieved === undefined ? {} : { achievedPercent: achieved }),
        ...(measured === undefined ? {} : { measuredPercent: measured }),
        ...(heldAtPercent === undefined ? {} : { heldAtPercent }),
      };
      run.show();
    },
  };
};

type StepOf<Kind extends RolloutStep['kind']> = Extract<RolloutStep, { kind: Kind }>;

/** What a step of a rollout shows in the stage table, and what it does. */
interface StepHandling<Kind extends RolloutStep['kind']> {
  lines(facts: PlanFacts, step: StepOf<Kind>): string[];
  run(task: CandidateTask, step: StepOf<Kind>): Promise<void>;
}

interface AnyHandling {
  lines(facts: PlanFacts, step: never): string[];
  run(task: CandidateTask, step: never): Promise<void>;
}

interface PlanFacts {
  changes: readonly PlannedChange[];
  /** Both versions get a share of the traffic, by a route or by the numbers of pods. */
  isShared: boolean;
  /** A header pins requests to the candidate. */
  isPinned: boolean;
  afterBake: readonly string[];
  /** Stages in which connections get time to end, where that is asked for. */
  drains: { stable: string[]; candidate: string[] };
}

const factsOf = ({ run, prepared }: RolloutTask, candidate: Candidate): PlanFacts => ({
  changes: prepared.plan.changes,
  drains:
    run.input.drain === undefined || candidate.byPods !== undefined
      ? { stable: [], candidate: [] }
      : { stable: [drainStages.stable], candidate: [drainStages.candidate] },
  isShared: isShared(candidate),
  isPinned: candidate.pinned !== undefined,
  afterBake: [
    ...linesAfterBake(run.input),
    ...(prepared.alerts === undefined ? [] : [alertsStage]),
  ],
});

const isShared = ({ route, byPods }: Candidate): boolean =>
  route !== undefined || byPods !== undefined;

const giveShare = (task: CandidateTask, weightPercent: number): Promise<void> =>
  task.candidate.byPods === undefined
    ? shiftTraffic(task, weightPercent)
    : shareByPods(task, weightPercent);

const takeBack = (task: CandidateTask): Promise<void> =>
  task.candidate.byPods === undefined ? returnTraffic(task) : returnByPods(task);

/** Pods follow the weight; blue-green has all of its pods from the beginning. */
const isScaled = ({ run, candidate }: CandidateTask): boolean =>
  run.input.strategy.type === 'canary' && candidate.byPods === undefined;

const linesOfPhase = ({ changes }: PlanFacts, phase: RolloutPhase): string[] =>
  changes.filter((change) => change.phase === phase).flatMap(stagesOf);

const handling: { [Kind in RolloutStep['kind']]: StepHandling<Kind> } = {
  stop: {
    lines: (facts) => linesOfPhase(facts, 'stop'),
    run: (task) => writePhase(task, 'stop'),
  },
  stage: {
    lines: (facts) => linesOfPhase(facts, 'stage'),
    run: async (task) => {
      const { byPods } = task.candidate;
      // Behind the same Services as the stable pods they get requests as soon as they are ready.
      if (byPods !== undefined) openExposure(task.run);
      await writePhase(task, 'stage');
      if (byPods !== undefined) showStagedPods(task);
    },
  },
  preview: {
    lines: ({ isPinned }) => previewStages(isPinned),
    run: previewCandidate,
  },
  shift: {
    lines: (facts, { weightPercent }) =>
      facts.isShared ? [shiftStage(weightPercent)] : linesOfPhase(facts, 'switch'),
    run: (task, { weightPercent }) => {
      if (isShared(task.candidate)) return giveShare(task, weightPercent);
      openExposure(task.run);
      return writePhase(task, 'switch');
    },
  },
  watch: {
    lines: (_facts, { weightPercent }) => [watchStage(weightPercent)],
    run: (task, { weightPercent, forMs }) => {
      const { run, prepared } = task;
      const rule = { ...(run.input.bake ?? defaultWatch), forMs };
      const watched = { rule, target: usersTarget(run, prepared), version: run.candidateVersion };
      const watch = (): Promise<void> =>
        bakeGate(run, { name: watchStage(weightPercent), ...watched });
      return isScaled(task) ? whileScalingAhead(task, forMs, watch) : watch();
    },
  },
  verify: {
    lines: ({ afterBake }) => ['smoke', 'bake', ...afterBake],
    run: async ({ run, prepared, back }) => {
      await verifyUnderTraffic(run, prepared);
      await setUpAlerts(run, prepared, back);
    },
  },
  retain: {
    lines: () => [retainStage],
    run: (task, { forMs }) => retain(task, forMs),
  },
  update: {
    lines: (facts) => [...facts.drains.stable, ...linesOfPhase(facts, 'update')],
    run: async (task) => {
      await drainStage(task.run, task.candidate, 'stable');
      await writePhase(task, 'update');
    },
  },
  return: {
    lines: (facts) => [
      ...(facts.isShared ? [returnStage] : []),
      ...linesOfPhase(facts, 'return'),
      ...facts.drains.candidate,
    ],
    run: async (task) => {
      if (isShared(task.candidate)) await takeBack(task);
      await writePhase(task, 'return');
      await drainStage(task.run, task.candidate, 'candidate');
    },
  },
};

// The kind picks the row that takes the step; the compiler does not follow that over a union.
const handlingOf = ({ kind }: RolloutStep): AnyHandling => handling[kind];

const runStep = (task: CandidateTask, step: RolloutStep): Promise<void> =>
  handlingOf(step).run(task, step as never);

const writePhase = async (task: CandidateTask, phase: RolloutPhase): Promise<void> => {
  await rollOut(task, phase);
};

const watchStage = (weightPercent: number): string => `watch at ${weightPercent} %`;

const retainStage = 'retain';
const retainHold = 'retain';

/**
 * The version before stays as it is, so that one write gives it everything back. It ends
 * early by `promote`, and when another release waits for the lock.
 */
const retain = async ({ run, rollout, candidate }: CandidateTask, forMs: number): Promise<void> => {
  const { promotions } = rollout;
  const stable = describeRef(candidate.stable);
  const deadlineAtMs = Date.now() + forMs;
  begin(run, { stage: retainStage, found: retainStage });
  run.state.waitingFor = {
    what: `the time for which ${stable} is kept as it was`,
    verbs: ['promote', 'abort'],
    deadlineAtMs,
  };
  run.show();
  void announce(run, 'retaining', `${stable} is kept as it was for ${forMs / 1_000} s more`);
  void offerLock(run);
  run.control.hold(retainHold);
  try {
    const whyEnded = (): string | undefined => {
      if (rollout.promotions > promotions || rollout.state.isFull) return 'cut short';
      const { wantedBy } = run.lock;
      return wantedBy === undefined ? undefined : `cut short: release ${wantedBy} waits`;
    };
    const summary = `keep ${stable} as it was`;
    await condition(() => whyEnded() !== undefined, forMs, { summary });
    end(run, retainStage, { status: 'done', note: whyEnded() });
  } finally {
    run.control.lift(retainHold);
    delete run.state.waitingFor;
  }
};

/** The stage table of the whole rollout, in the order in which it happens. */
const linesOf = ({ steps }: RolloutPlan, facts: PlanFacts): string[] =>
  steps.flatMap((step) => handlingOf(step).lines(facts, step as never));
