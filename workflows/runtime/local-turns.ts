import { CancellationScope } from '@temporalio/workflow';

/**
 * Local activities of a run, one after the other. Of several at once, a replay answers the one first
 * that was called first, whichever had ended first; what the run did next, it then does in another
 * order, and no worker can go on with it (open for the SDKs of Temporal: sdk-python 1578).
 *
 * The state is that of one run: each has an instance of this module.
 */
const waiting: (() => void)[] = [];
let isTaken = false;

/** Makes the call now, or as soon as those before it are answered. */
export const inTurn = <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
  // The promise itself, and no tick later: runs of before have gone on with it that way.
  if (!isTaken) return take(call);
  // Later on the scope would be that of whoever was answered.
  const scope = CancellationScope.current();
  return new Promise((resolve, reject) => {
    waiting.push(() => {
      take(() => scope.run(call)).then(resolve, reject);
    });
  });
};

const take = <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
  const answer = call();
  isTaken = true;
  answer.then(next, next);
  return answer;
};

/** Before the caller goes on, so that calls keep the order in which they were asked for. */
const next = (): void => {
  isTaken = false;
  waiting.shift()?.();
};
