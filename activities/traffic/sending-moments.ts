/** Users of a steady rate send many requests in so long, whatever their rhythm. */
const stretchMs = 200;

/**
 * When each of `total` requests is sent, in milliseconds from the start, ascending: an even number in
 * each fifth of a second, at random moments of it. A gateway that deals out requests in turns deals
 * them out to all its users together. Where each request had a short share of its own, a stream that
 * keeps time as well could leave it the same turns again and again, and never that of a candidate.
 *
 * @param random gives a number from 0, below 1
 */
export function* sendingMoments(
  { total, requestsPerSecond }: { total: number; requestsPerSecond: number },
  random: () => number = Math.random,
): Generator<number> {
  const intervalMs = 1_000 / requestsPerSecond;
  const inStretch = Math.max(1, Math.round(stretchMs / intervalMs));
  for (let sent = 0; sent < total; sent += inStretch) {
    const count = Math.min(inStretch, total - sent);
    const moments = Array.from({ length: count }, () => (sent + random() * count) * intervalMs);
    yield* moments.sort((left, right) => left - right);
  }
}
