import { setTimeout as delay } from 'node:timers/promises';

/** Looks again and again until it is as expected; the test's own time-out ends it. */
export const until = async <Seen>(
  look: () => Promise<Seen>,
  expected: (seen: Seen) => boolean,
): Promise<Seen> => {
  for (;;) {
    const seen = await look();
    if (expected(seen)) return seen;
    await delay(50);
  }
};
