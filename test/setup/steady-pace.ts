/** Sending at a steady rate, whether earlier sendings have ended or not. */
import { setTimeout as sleep } from 'node:timers/promises';

const TICK_MS = 5;

/** Calls `send` `perSecond` times a second while `work` runs; returns when all have ended. */
export async function sendAtPace(
  perSecond: number,
  send: () => Promise<void>,
  work: () => Promise<void>,
): Promise<void> {
  const open = new Set<Promise<void>>();
  let sent = 0;
  const sendOne = (): void => {
    sent += 1;
    const ending = send();
    open.add(ending);
    void ending.finally(() => open.delete(ending));
  };
  const ended = new AbortController();
  const working = work().finally(() => ended.abort());
  const startedAtMs = performance.now();
  while (!ended.signal.aborted) {
    const due = ((performance.now() - startedAtMs) / 1_000) * perSecond;
    while (sent < due) sendOne();
    await sleep(TICK_MS);
  }
  await Promise.all(open);
  await working;
}
