import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { codedErrorOf } from '../coded-failure.ts';
import type { CountReading, CountWatch, MetricsSource, QueryOutcome } from './port.ts';

/** A count of the last reading, with the moment of it on our own clock. */
interface Seen {
  value: number | null;
  atMs: number;
  reason?: string;
}

/** Reads each count every so often, and ends early where one is above its limit. */
export const watchCounts = async (
  source: MetricsSource,
  request: CountWatch,
): Promise<CountReading[]> => {
  const context = Context.current();
  const startedAtMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedAtMs;
  const seen = request.counts.map((): Seen => ({ value: null, atMs: 0 }));
  for (;;) {
    const readings = await Promise.all(
      request.counts.map((count) => read(source, request, { ...count, elapsedMs: elapsedMs() })),
    );
    readings.forEach((reading, index) => {
      const before = seen[index] ?? { value: null, atMs: 0 };
      seen[index] =
        typeof reading === 'number'
          ? { value: reading, atMs: elapsedMs() }
          : { value: before.value, atMs: before.atMs, reason: reading.reason };
    });
    context.heartbeat(seen);
    const leftMs = request.windowMs - elapsedMs();
    if (leftMs <= 0 || isAbove(request, seen)) return readingsOf(request, seen, elapsedMs());
    await delay(Math.min(request.everyMs, leftMs), undefined, {
      signal: context.cancellationSignal,
    });
  }
};

const isAbove = ({ counts }: CountWatch, seen: readonly Seen[]): boolean =>
  counts.some(({ max }, index) => (seen[index]?.value ?? 0) > max);

const readingsOf = ({ counts }: CountWatch, seen: readonly Seen[], nowMs: number): CountReading[] =>
  counts.map(({ name }, index) => {
    const { value = null, atMs = 0, reason } = seen[index] ?? {};
    return {
      name,
      value,
      silentMs: Math.round(nowMs - atMs),
      ...(reason === undefined ? {} : { reason }),
    };
  });

const read = async (
  source: MetricsSource,
  { environment, countedForMs }: CountWatch,
  { query, elapsedMs }: { query: string; elapsedMs: number },
): Promise<number | { reason: string }> => {
  const seconds = Math.max(1, Math.ceil((countedForMs + elapsedMs) / 1_000));
  try {
    return numberIn(
      await source.query({
        environment,
        query: query.replaceAll('$window', `${String(seconds)}s`),
      }),
    );
  } catch (error) {
    const coded = codedErrorOf(error);
    if (coded === undefined) throw error;
    return { reason: coded.message };
  }
};

/** Several series are parts of one count; where one has no number the count is not known. */
const numberIn = (outcome: QueryOutcome): number | { reason: string } => {
  if (outcome.state === 'no-data') return { reason: outcome.reason };
  if (outcome.state === 'value') return outcome.value;
  return outcome.withoutNumber > 0
    ? { reason: `${String(outcome.withoutNumber)} series have no number` }
    : outcome.values.reduce((sum, value) => sum + value, 0);
};
