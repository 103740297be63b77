import { defaultWatch } from './default-watch.ts';
import type { RolloutStrategy } from './rollout-plan.ts';

/**
 * How many requests may meet a version that is not verified yet. A step list bounds time and
 * weight; a budget bounds what users actually met, whatever the traffic does meanwhile.
 */
interface BudgetLimits {
  readonly maxExposedRequests?: number | undefined;
  readonly maxBadRequests?: number | undefined;
}

/** Where a count comes from: a query of the release, or the answers that the prober counted. */
type CountSource = 'metrics' | 'prober';

/** One count that is held against its limit. */
export interface BudgetCount {
  readonly name: 'exposed' | 'bad';
  readonly source: CountSource;
  /** The last value that was read; null while there was none. */
  readonly value: number | null;
  readonly max: number;
  /** Time since it was last read, or since there was something to read. */
  readonly silentMs: number;
}

/** `unread`: a count is missing for longer than is allowed; that is neither within nor exceeded. */
interface BudgetVerdict {
  readonly verdict: 'within' | 'exceeded' | 'unread';
  readonly note: string;
}

const requestsOf = { exposed: 'requests served', bad: 'requests failed' } as const;

const sourceText = { metrics: 'by the metrics', prober: 'by the prober' } as const;

const noteOf = ({ name, value, max, source }: BudgetCount): string =>
  `${value === null ? 'an unknown number of' : String(Math.ceil(value))} ${requestsOf[name]}, at most ${String(max)} allowed (counted ${sourceText[source]})`;

const isExceeded = ({ value, max }: BudgetCount): boolean => value !== null && value > max;

/**
 * The first that holds: a count above its limit is exceeded, whatever else cannot be read; a
 * count that is silent for too long is unread; else the release is within its budget.
 */
export const judgeBudget = (
  counts: readonly BudgetCount[],
  unreadableForMs: number,
): BudgetVerdict => {
  const exceeded = counts.filter(isExceeded);
  if (exceeded.length > 0) return { verdict: 'exceeded', note: exceeded.map(noteOf).join('; ') };
  const silent = counts.filter(({ silentMs }) => silentMs > unreadableForMs);
  if (silent.length > 0) {
    const names = silent
      .map(({ name, silentMs }) => `${name} for ${String(Math.round(silentMs / 1_000))} s`)
      .join(', ');
    return { verdict: 'unread', note: `the counts of the new version cannot be read: ${names}` };
  }
  return { verdict: 'within', note: counts.map(noteOf).join('; ') };
};

/** What is left of a limit; undefined where the prober does not count it. */
const leftOf = (counts: readonly BudgetCount[], name: BudgetCount['name']): number | undefined => {
  const count = counts.find((one) => one.name === name && one.source === 'prober');
  return count === undefined ? undefined : Math.max(0, count.max - (count.value ?? 0));
};

const shortestWindowMs = 1_000;

/**
 * The window of a prober, cut where the budget could be used up within it, so that nothing
 * waits for its end. `share`: part of the requests that the new version is given, 0–1.
 */
export const windowWithin = <Window extends { windowMs: number; stopAtFailures: number }>(
  window: Window,
  counts: readonly BudgetCount[],
  { requestsPerSecond, share }: { requestsPerSecond: number; share: number },
): Window => {
  const bad = leftOf(counts, 'bad');
  const exposed = leftOf(counts, 'exposed');
  const perMs = (requestsPerSecond * share) / 1_000;
  const untilUsedUpMs =
    exposed === undefined || perMs === 0 ? window.windowMs : Math.ceil((exposed + 1) / perMs);
  return {
    ...window,
    windowMs: Math.min(window.windowMs, Math.max(shortestWindowMs, untilUsedUpMs)),
    stopAtFailures: Math.min(window.stopAtFailures, bad === undefined ? Infinity : bad + 1),
  };
};

/**
 * How long watching may rest while nothing moves: never so long that what is left of the budget
 * could be used up. The rate is that of all requests of the new version where they are counted.
 */
export const restWithin = (
  counts: readonly BudgetCount[],
  { restMs, countedForMs }: { restMs: number; countedForMs: number },
): number => {
  const rates = counts.map(({ value }) => (value ?? 0) / Math.max(1, countedForMs));
  const perMs = Math.max(...rates);
  const leftMs = counts.map(({ value, max }) => Math.max(0, max - (value ?? 0)) / perMs);
  // Half of it: the rate is an average, and traffic may grow.
  return perMs > 0 ? Math.min(restMs, Math.floor(Math.min(...leftMs) / 2)) : restMs;
};

/** What of a release says how many requests it exposes by plan alone. */
interface PlannedRelease {
  readonly strategy: RolloutStrategy;
  readonly bake?: { readonly forMs: number; readonly requestsPerSecond: number } | undefined;
  readonly budget?:
    | (BudgetLimits & {
        readonly requestsPerSecond?: number | undefined;
        readonly exposedRequests?: string | undefined;
      })
    | undefined;
}

/** Requests that meet the new version before it is verified: Σ rate · weight · time. */
export const plannedExposure = (
  { strategy, bake }: Pick<PlannedRelease, 'strategy' | 'bake'>,
  requestsPerSecond: number,
): number => {
  const steps = 'steps' in strategy ? strategy.steps : [];
  const shares = [...steps, { weightPercent: 100, forMs: bake?.forMs ?? 0 }];
  const seconds = shares.reduce(
    (sum, { weightPercent, forMs }) => sum + ((weightPercent / 100) * forMs) / 1_000,
    0,
  );
  return Math.round(seconds * requestsPerSecond);
};

/** The rate that counts against the budget; undefined where nobody said what users send. */
const rateOf = ({ bake, budget }: PlannedRelease): number | undefined => {
  if (budget?.requestsPerSecond !== undefined) return budget.requestsPerSecond;
  if (budget?.exposedRequests !== undefined) return undefined;
  return bake?.requestsPerSecond ?? defaultWatch.requestsPerSecond;
};

/** A sentence for the plan where its own steps use up the budget; undefined where they do not. */
export const budgetWarning = (release: PlannedRelease): string | undefined => {
  const max = release.budget?.maxExposedRequests;
  const rate = rateOf(release);
  if (max === undefined || rate === undefined) return undefined;
  const exposed = plannedExposure(release, rate);
  if (exposed <= max) return undefined;
  return `By plan alone the new version serves ${String(exposed)} requests before it is verified (at ${String(rate)} requests a second), more than the ${String(max)} of its budget; the release would be put back.`;
};
