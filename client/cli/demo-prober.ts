import { Agent, request, type Dispatcher } from 'undici';
import { countAnswer, emptyCounts, type ProbeAnswer } from './traffic-counts.ts';

/**
 * Sends a steady stream of requests, in a process of its own so that neither the drawing of
 * the story nor its deployments delay one. Speaks with the parent over the IPC channel.
 */
export interface ProberSettings {
  url: string;
  host: string;
  requestsPerSecond: number;
}

/** From the parent: begin a new chapter; the answer is the counts of the one before. */
export interface NewChapter {
  chapter: string;
}

const tickMs = 5;
const requestTimeoutMs = 5_000;
/** Every tenth request opens a connection of its own: old connections hide a listener that is gone. */
const freshConnectionEvery = 10;
/** A target that answers nothing at all must not fill the memory; beyond this it counts as failed. */
const maxInFlight = 2_000;

const timeouts = { headersTimeout: requestTimeoutMs, bodyTimeout: requestTimeoutMs };

const startProber = ({ url, host, requestsPerSecond }: ProberSettings): void => {
  const keepAlive = new Agent({
    ...timeouts,
    connections: 64,
    connect: { timeout: requestTimeoutMs },
  });
  let counts = emptyCounts(Date.now());
  let inFlight = 0;
  let sent = 0;
  const startedAtMs = performance.now();

  const send = async (dispatcher: Dispatcher, closes: boolean): Promise<ProbeAnswer> => {
    const sentAtMs = Date.now();
    const outcome = await ask({ url, host, dispatcher, closes });
    return { ...outcome, sentAtMs, endedAtMs: Date.now() };
  };
  const sendOne = async (): Promise<void> => {
    const isFresh = sent % freshConnectionEvery === 0;
    const dispatcher = isFresh ? new Agent({ ...timeouts, pipelining: 0 }) : keepAlive;
    inFlight += 1;
    // Counted for the chapter in which it was sent.
    const chapter = counts;
    countAnswer(chapter, await send(dispatcher, isFresh));
    inFlight -= 1;
    if (isFresh) await dispatcher.close();
  };
  const tick = (): void => {
    const due = Math.floor(((performance.now() - startedAtMs) * requestsPerSecond) / 1_000);
    while (sent < due) {
      sent += 1;
      if (inFlight < maxInFlight) void sendOne();
      else countAnswer(counts, refused());
    }
  };
  const timer = setInterval(tick, tickMs);
  process.on('message', (message: NewChapter) => {
    process.send?.({ ...message, counts });
    counts = emptyCounts(Date.now());
  });
  process.once('disconnect', () => {
    clearInterval(timer);
    process.exit(0);
  });
};

const refused = (): ProbeAnswer => {
  const nowMs = Date.now();
  return { sentAtMs: nowMs, endedAtMs: nowMs, version: null, failure: 'too many unanswered' };
};

const ask = async (about: {
  url: string;
  host: string;
  dispatcher: Dispatcher;
  closes: boolean;
}): Promise<Pick<ProbeAnswer, 'version' | 'failure'>> => {
  const { url, host, dispatcher, closes } = about;
  try {
    const answer = await request(url, { dispatcher, headers: { host }, reset: closes });
    const header = answer.headers['x-version'];
    const version = typeof header === 'string' ? header : null;
    const text = await answer.body.text();
    if (answer.statusCode === 200) return { version, failure: null };
    return { version, failure: `${String(answer.statusCode)} ${text.trim().slice(0, 120)}` };
  } catch (error) {
    return { version: null, failure: error instanceof Error ? error.message : String(error) };
  }
};

const [settings] = process.argv.slice(2);
if (settings !== undefined) startProber(JSON.parse(settings) as ProberSettings);
