import type { Message, MessageReceipt, WeightRequest } from '../../contracts/messages.ts';
import {
  canSetWeight,
  promotedFully,
  withHeldWeight,
  withoutHold,
} from '../../domain/delivery/rollout-plan.ts';
import type { MessageRule } from '../runtime/messages.ts';
import type { Rollout } from '../runtime/progressive-shift.ts';
import type { OpenRun } from './release-run.ts';

/** Messages that steer a rollout in which traffic moves; each answers with the weight. */
export const rolloutRules = (
  run: OpenRun,
): {
  setWeight: MessageRule<WeightRequest>;
  promote: MessageRule<Message>;
  promoteFull: MessageRule<Message>;
} => ({
  setWeight: {
    description: 'Gives the new version this share of the traffic and stays there.',
    refusal: () => notSteerable(run) ?? noWeights(run),
    apply: ({ weightPercent, actor, reason }) => {
      const rollout = rolloutOf(run);
      const { heldAtPercent } = rollout.state;
      rollout.state = withHeldWeight(rollout.state, weightPercent);
      leaveGate(run, `${actor} set ${weightPercent} %: ${reason}`);
      const changed = heldAtPercent !== weightPercent;
      return receipt(rollout, changed, `going to ${weightPercent} %, then waiting for promote`);
    },
  },
  promote: {
    description: 'Ends what is being watched or waited for, and goes on with the next step.',
    refusal: () => notSteerable(run),
    apply: ({ actor, reason }) => {
      const rollout = rolloutOf(run);
      const isHeld = rollout.state.heldAtPercent !== undefined;
      if (isHeld) rollout.state = withoutHold(rollout.state);
      const leftGate = !isHeld && leaveGate(run, `${actor} promoted it: ${reason}`);
      const isRetained = run.state.waitingFor?.verbs.includes('promote') === true && !isHeld;
      if (isRetained) rollout.promotions += 1;
      const changed = isHeld || leftGate || isRetained;
      return receipt(rollout, changed, changed ? 'going on' : 'nothing is waited for now');
    },
  },
  promoteFull: {
    description: 'Gives the new version everything without watching any more.',
    refusal: () => notSteerable(run),
    apply: ({ actor, reason }) => {
      const rollout = rolloutOf(run);
      const changed = !rollout.state.isFull;
      rollout.state = promotedFully(rollout.state);
      leaveGate(run, `${actor} promoted it fully: ${reason}`);
      return receipt(rollout, changed, 'all traffic goes to the new version without more watching');
    },
  },
});

const notSteerable = (run: OpenRun): string | undefined => {
  if (run.control.stopped() !== undefined || run.state.status === 'unwinding')
    return 'everything is being put back';
  if (run.state.status === 'finished') return 'the release is finished';
  return run.rollout === undefined ? 'no traffic is shared in this release, or not yet' : undefined;
};

const noWeights = (run: OpenRun): string | undefined => {
  const { rollout, plan } = run;
  const { route, byPods } = plan?.candidate ?? {};
  if (route === undefined && byPods === undefined)
    return 'the Services are switched at once, no route';
  if (rollout === undefined || canSetWeight(rollout.plan, rollout.state)) return undefined;
  return `the new version has ${rollout.state.weightPercent} % already`;
};

const rolloutOf = ({ rollout }: OpenRun): Rollout => {
  if (rollout === undefined) throw new TypeError('a message for a rollout needs one');
  return rollout;
};

const leaveGate = ({ gate }: OpenRun, why: string): boolean => {
  if (gate === undefined || gate.skippedBy !== undefined) return false;
  gate.skippedBy = why;
  gate.scope.cancel();
  return true;
};

const receipt = (
  { state }: Rollout,
  changed: boolean,
  text: string,
): MessageReceipt & { weightPercent: number } => ({
  changed,
  state: `${text}; the new version has ${state.weightPercent} %`,
  weightPercent: state.weightPercent,
});
