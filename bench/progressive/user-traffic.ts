import { Agent } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { ask } from '../../test/setup/steady-requests.ts';

/** One answer as a user met it; times as `performance.now()` gives them. */
export interface Answer {
  sentAtMs: number;
  atMs: number;
  /** Empty where nothing answered. */
  version: string;
  /** What went wrong; absent for a good answer. */
  failure?: string;
}

export interface Entry {
  url: string;
  host: string;
}

/** Requests of users at a steady rate, half of them on connections of their own. */
export interface UserTraffic {
  readonly answers: readonly Answer[];
  /** Returns when an answer that came from now on is as wanted. */
  until(isWanted: (answer: Answer) => boolean): Promise<Answer>;
  /** Returns when every answer of that time span came from the version. */
  untilAlone(version: string, forMs: number): Promise<void>;
  /** Sends nothing more, and waits for the answers that are still missing. */
  stop(): Promise<readonly Answer[]>;
}

const tickMs = 5;
const lookEveryMs = 10;
/** Longer than any release; a scenario that never gets there must not run for ever. */
const patienceMs = 180_000;

const goodStatus = 200;

const answerOf = async (entry: Entry, agent: Agent | undefined): Promise<Answer> => {
  const sentAtMs = performance.now();
  const options = { host: entry.host, ...(agent === undefined ? {} : { agent }) };
  try {
    const { status, version } = await ask(entry.url, options);
    const answered = { sentAtMs, atMs: performance.now(), version };
    return status === goodStatus
      ? answered
      : { ...answered, failure: `HTTP ${String(status)} from version ${version}` };
  } catch (error) {
    return { sentAtMs, atMs: performance.now(), version: '', failure: String(error) };
  }
};

export const startUserTraffic = (
  entry: Entry,
  { perSecond, onAnswer }: { perSecond: number; onAnswer: (answer: Answer) => void },
): UserTraffic => {
  const keptAlive = new Agent({ keepAlive: true, maxSockets: 64 });
  const answers: Answer[] = [];
  const open = new Set<Promise<void>>();
  let sent = 0;
  const sendOne = (): void => {
    // Without an agent of its own a request would share the connections of the process.
    const agent = sent % 2 === 0 ? keptAlive : new Agent({ keepAlive: false });
    sent += 1;
    const answered = answerOf(entry, agent).then((answer) => {
      answers.push(answer);
      onAnswer(answer);
    });
    open.add(answered);
    void answered.finally(() => open.delete(answered));
  };
  const startedAtMs = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAtMs) / 1_000) * perSecond;
    while (sent < due) sendOne();
  }, tickMs);
  return {
    answers,
    ...waitsFor(answers),
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
      keptAlive.destroy();
      return answers;
    },
  };
};

const waitsFor = (answers: readonly Answer[]): Pick<UserTraffic, 'until' | 'untilAlone'> => ({
  until: async (isWanted) => {
    let seen = answers.length;
    return waitFor('an answer that is waited for', () => {
      const found = answers.slice(seen).find(isWanted);
      seen = answers.length;
      return found;
    });
  },
  untilAlone: async (version, forMs) => {
    const from = performance.now();
    await waitFor(`version ${version} to answer alone`, () => {
      const now = performance.now();
      if (now - from < forMs) return undefined;
      const late = answers.findLast((answer) => answer.version !== version);
      return late === undefined || now - late.atMs >= forMs ? true : undefined;
    });
  },
});

/** Looks again and again until there is something; fails where that takes too long. */
export const waitFor = async <Found>(
  what: string,
  look: () => Found | undefined | Promise<Found | undefined>,
): Promise<Found> => {
  const givenUpAtMs = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > givenUpAtMs) throw new Error(`waited in vain for ${what}`);
    await delay(lookEveryMs);
  }
};
