import type { Explanation, Situation, Telling } from './explanation.ts';
import type { ReleaseFacts, ToldFacts } from './release-facts.ts';
import { situationOf } from './situation.ts';
import { tellChecking, tellMoving, tellUnwinding, tellWatching } from './tell-moving.ts';
import {
  tellEndedFromOutside,
  tellNeedsOperator,
  tellPausedByServer,
  tellSilent,
} from './tell-stopped.ts';
import { tellFinished } from './tell-finished.ts';
import { tellHeld, tellRetaining } from './tell-held.ts';
import { tellApproval, tellPaused, tellQueued, tellUndecided } from './tell-waiting.ts';
import { doneSentences } from './what-was-done.ts';

type Teller = (facts: ReleaseFacts) => Telling;

/** For situations that only a run's own account leads to. */
const told =
  (tell: (facts: ToldFacts) => Telling): Teller =>
  (facts) =>
    facts.progress === null ? tellSilent(facts) : tell({ ...facts, progress: facts.progress });

const tellers: Record<Situation, Teller> = {
  queued: told(tellQueued),
  'waiting-for-approval': told(tellApproval),
  paused: told(tellPaused),
  moving: told(tellMoving),
  checking: told(tellChecking),
  watching: told(tellWatching),
  undecided: told(tellUndecided),
  held: told(tellHeld),
  retaining: told(tellRetaining),
  unwinding: told(tellUnwinding),
  'needs-operator': told(tellNeedsOperator),
  silent: tellSilent,
  'paused-by-server': tellPausedByServer,
  'ended-from-outside': tellEndedFromOutside,
  finished: tellFinished,
};

/**
 * Why a release is where it is: what it has done, where it stands and why, what it waits for and
 * until when, what happens by itself, and which commands would change it.
 */
export const explainRelease = (facts: ReleaseFacts): Explanation => {
  const situation = situationOf(facts);
  const { headline, ...parts } = tellers[situation](facts);
  return {
    situation,
    headline,
    now: [],
    why: [],
    waitsFor: [],
    next: [],
    commands: [],
    ...parts,
    done: doneSentences(facts),
  };
};
