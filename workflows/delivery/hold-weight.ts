import { CancellationScope, condition, patched, sleep, workflowInfo } from '@temporalio/workflow';
import { defaultWatch } from '../../domain/delivery/default-watch.ts';
import { heldRoundMs, restBetweenPausedWindowsMs } from '../../domain/delivery/gate.ts';
import { longestHeldWindowMs, nextHeldRoundMs } from '../../domain/delivery/held-round.ts';
import type { CandidateTask } from './carry-out.ts';
import { passGate } from './gates.ts';
import { measureUnderTraffic } from './measure-gates.ts';
import type { BakeGate } from './measure-gates.ts';
import type { ReleaseRun } from './release-run.ts';
import { step } from './run-step.ts';
import { usersTarget } from './verify-release.ts';

const holdStage = 'held by an operator';
const heldVerbs = ['promote', 'promoteFull', 'setWeight', 'abort'];
const operatorHold = 'weight';

/**
 * Stays at the weight that an operator set until the operator lets it go on. The version is
 * judged meanwhile as at any other stop: what fails there puts the release back.
 */
export const holdWeight = async (task: CandidateTask, weightPercent: number): Promise<void> => {
  const { run, rollout } = task;
  await step(run, { stage: holdStage, found: 'held' }, async () => {
    run.state.waitingFor = { what: `\`promote\`, at ${weightPercent} %`, verbs: heldVerbs };
    run.state.status = 'waiting';
    run.show();
    run.control.hold(operatorHold);
    const { state } = rollout;
    const scope = new CancellationScope({ cancellable: true });
    try {
      await scope.run(async () => {
        const released = condition(() => rollout.state !== state);
        // Runs that began before holds were judged replay without it.
        const isJudged = patched('judge-while-held') && weightPercent > 0;
        await (isJudged ? Promise.race([released, judge(task, weightPercent)]) : released);
      });
    } finally {
      scope.cancel();
      run.control.lift(operatorHold);
      delete run.state.waitingFor;
      run.state.status = 'running';
    }
    return { value: null, note: `at ${weightPercent} %` };
  });
};

/** Round after round, so that an hour of good answers does not hide that they turned bad. */
const judge = async ({ run, prepared }: CandidateTask, weightPercent: number): Promise<never> => {
  const name = `held at ${weightPercent} %`;
  const { bake, analysis } = run.input;
  const version = run.candidateVersion;
  const rule = bake ?? defaultWatch;
  const forMs = heldRoundMs(rule, {
    // Where nobody can tell the versions apart, all answers count.
    share: version === undefined ? 1 : weightPercent / 100,
    intervalsMs: (analysis?.metrics ?? []).map(({ intervalMs }) => intervalMs),
  });
  const target = usersTarget(run, prepared);
  const watched = { name, target, version, rule: { ...rule, name, forMs }, isHeld: true };
  // Runs that began when holds still rested between rounds replay with their rests.
  if (patched('held-rounds-grow')) return judgeWithoutRest(run, watched);
  for (let rounds = 1; ; rounds += 1) {
    const { verdict } = await passGate(run, { name, failureCode: 'BAKE_FAILED' }, () =>
      measureUnderTraffic(run, watched),
    );
    const restMs = restBetweenPausedWindowsMs(rounds);
    const isIdle = verdict === 'not-measured' && analysis === undefined;
    if (restMs > 0 || isIdle) await sleep(Math.max(restMs, forMs), { summary: `${name}: rest` });
  }
};

const looksInRound = 2;

/** Rounds become longer instead, so that users' traffic is watched all the time. */
const judgeWithoutRest = async (
  run: ReleaseRun,
  watched: BakeGate & { rule: NonNullable<BakeGate['rule']> },
): Promise<never> => {
  const { name, rule } = watched;
  const heldAtMs = Date.now();
  const shortestMs = rule.forMs;
  let events = workflowInfo().historyLength;
  for (let lastRoundEvents = 0; ;) {
    const heldForMs = Date.now() - heldAtMs;
    const seen = { heldForMs, historyEvents: events, lastRoundEvents };
    const forMs = nextHeldRoundMs(shortestMs, seen);
    const round = { ...rule, name, forMs, longestWindowMs: longestHeldWindowMs };
    const { verdict } = await passGate(run, { name, failureCode: 'BAKE_FAILED' }, () =>
      measureUnderTraffic(run, { ...watched, rule: round, mostLooks: looksInRound }),
    );
    const isIdle = verdict === 'not-measured' && run.input.analysis === undefined;
    if (isIdle) await sleep(forMs, { summary: `${name}: nothing to watch` });
    lastRoundEvents = workflowInfo().historyLength - events;
    events += lastRoundEvents;
  }
};
