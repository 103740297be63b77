import { messageCommand } from '../command-lines.ts';
import type { Telling } from './explanation.ts';
import { lastBy, stableName, type ReleaseFacts, type ToldFacts } from './release-facts.ts';
import { pausedSentences } from './tell-waiting.ts';
import { shareSentences } from './traffic-now.ts';
import { thenText } from './what-comes-next.ts';
import { saidText, untilText } from './wording.ts';

/** An operator set a weight, and the rollout stays there. */
export const tellHeld = (facts: ToldFacts): Telling => {
  const { name } = facts;
  const by = lastBy(facts, ['setWeight']);
  const weight = `${String(facts.progress.rollout?.heldAtPercent ?? 0)} %`;
  return {
    headline: `is held at ${weight} by ${by?.actor ?? 'an operator'}`,
    now: [
      ...shareSentences(facts),
      'It is judged while it is held; a gate that fails puts everything back.',
    ],
    why: by === undefined ? [] : [saidText(by, `set ${weight}`)],
    waitsFor: ['`promote`. There is no deadline: the clock of the release stands still.'],
    next: [
      `Nothing moves forward by itself. Promoted, it goes on with ${thenText(facts)}.`,
      ...pausedSentences(facts),
    ],
    commands: [
      { command: messageCommand('promote', name), effect: 'goes on with the plan' },
      { command: messageCommand('promoteFull', name), effect: 'gives it everything, unwatched' },
      { command: messageCommand('setWeight', name), effect: 'goes to N % and stays there' },
      { command: messageCommand('abort', name), effect: 'puts everything back' },
    ],
  };
};

/** Everything is new and verified; the old version is only kept. */
export const tellRetaining = (facts: ToldFacts): Telling => {
  const { name, nowMs } = facts;
  const deadline = facts.progress.waitingFor?.deadlineAtMs;
  const stable = stableName(facts);
  const until = deadline === undefined ? '' : `, ${untilText(deadline, nowMs)}`;
  return {
    headline: 'serves everything with the new version and keeps the old one ready',
    now: shareSentences(facts),
    why: [`${stable} is kept as it was, so that one write gives it everything back.`],
    waitsFor: [`The end of the time for that${until}.`, ...wantedSentences(facts)],
    next: [
      `Then ${stable} gets the new version and takes the traffic back, and what existed for the rollout only is deleted.`,
      ...pausedSentences(facts),
    ],
    commands: [
      { command: messageCommand('promote', name), effect: 'ends the wait now' },
      { command: messageCommand('abort', name), effect: `gives ${stable} everything back` },
    ],
  };
};

const wantedSentences = ({ lock }: ReleaseFacts): string[] => {
  const wanted = lock?.holder?.wantedBy ?? lock?.queue[0]?.release;
  return wanted === undefined ? [] : [`Release ${wanted} waits for the lock, which ends it early.`];
};
