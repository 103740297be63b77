import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import { judgeBudget, restWithin, windowWithin } from '../../domain/delivery/exposure-budget.ts';
import type { BudgetCount } from '../../domain/delivery/exposure-budget.ts';
import { restBetweenPausedWindowsMs } from '../../domain/delivery/gate.ts';
import type { GateResult, WindowRequest } from '../../domain/delivery/gate.ts';
import { filledIn } from '../../domain/delivery/metric-query.ts';
import { codedErrorOf, codedFailure } from '../runtime/failures.ts';
import { undecidedHold } from '../runtime/run-control.ts';
import { askAboutInconclusive, keepGate } from './gates.ts';
import { queryNamesOf } from './query-names.ts';
import type { Exposure, ReleaseRun } from './release-run.ts';
import { step } from './run-step.ts';

/** Also the line of the stage table. */
export const budgetGate = 'exposure budget';
const longestWindowMs = 60_000;

/** Runs the moves of a rollout; its budget is watched beside them, whatever they are at. */
export const withinBudget = async (run: ReleaseRun, moves: () => Promise<void>): Promise<void> => {
  if (run.input.budget === undefined) return moves();
  const scope = new CancellationScope({ cancellable: true });
  const exposure: Exposure = { isOver: false, scope, read: new Map() };
  run.exposure = exposure;
  // A watch that breaks must not leave the version unwatched: that stops the release too.
  const watching = scope
    .run(() => watchCounts(run, exposure))
    .catch((error: unknown) => {
      if (!isCancellation(error)) run.control.stop(codedErrorOf(error));
    });
  try {
    await moves();
    await settleExposure(run);
  } finally {
    exposure.isOver = true;
    scope.cancel();
    await watching;
  }
};

/** Call it before the first write that gives the new version traffic. */
export const openExposure = ({ exposure }: ReleaseRun): void => {
  if (exposure !== undefined) exposure.openedAtMs ??= Date.now();
};

/** Counts what a window of the prober met, and puts the release back where it was too much. */
export const countExposure = (
  run: ReleaseRun,
  seen: { samples: number; failures: number } | { notMeasured: string },
): void => {
  const { exposure } = run;
  if (exposure === undefined || exposure.isOver) return;
  if ('notMeasured' in seen) {
    exposure.notMeasured = seen.notMeasured;
    return;
  }
  const { samples = 0, failures = 0 } = exposure.probed ?? {};
  exposure.probed = { samples: samples + seen.samples, failures: failures + seen.failures };
  judge(run, exposure);
};

/** A window of the prober that ends where the budget may be used up. */
export const windowInBudget = (
  run: ReleaseRun,
  window: WindowRequest,
  requestsPerSecond: number,
): WindowRequest => {
  const { exposure } = run;
  if (exposure === undefined || exposure.isOver) return window;
  const share = (run.rollout?.state.weightPercent ?? 100) / 100;
  return windowWithin(window, countsOf(run, exposure), { requestsPerSecond, share });
};

/** The version is verified: the budget has its last word, and is not watched any more. */
export const settleExposure = async (run: ReleaseRun): Promise<void> => {
  const { exposure } = run;
  if (exposure === undefined || exposure.isOver) return;
  exposure.scope.cancel();
  await step(run, { stage: budgetGate, found: 'verify' }, async () => {
    const result = await lastWord(run, exposure);
    keepGate(run, result);
    return { value: result, note: result.note, status: statusOf(result) };
  });
  exposure.isOver = true;
};

const statusOf = ({ verdict }: GateResult): 'done' | 'skipped' | 'not-measured' => {
  if (verdict === 'skipped' || verdict === 'not-measured') return verdict;
  return 'done';
};

const lastWord = async (run: ReleaseRun, exposure: Exposure): Promise<GateResult> => {
  for (;;) {
    if (exposure.skippedBy === undefined) await readCounts(run, exposure, 0);
    judge(run, exposure);
    const stopped = run.control.stopped();
    if (stopped !== undefined) throw codedFailure(stopped);
    const result = resultOf(run, exposure);
    if (result.verdict !== 'inconclusive') return result;
    keepGate(run, result);
    await decide(run, exposure, result);
  }
};

/** A chain of short watches until the version is verified. */
const watchCounts = async (run: ReleaseRun, exposure: Exposure): Promise<void> => {
  if (queriesOf(run).length === 0) return;
  await condition(() => exposure.openedAtMs !== undefined);
  let standing = 0;
  for (;;) {
    await readCounts(run, exposure, nextWindowMs(run, exposure));
    const verdict = judge(run, exposure);
    if (verdict === 'exceeded') return;
    if (verdict === 'unread') {
      const note = judgeBudget(countsOf(run, exposure), unreadableForMs(run)).note;
      await decide(run, exposure, { name: budgetGate, note });
      if (exposure.skippedBy !== undefined) return;
    }
    standing = isStanding(run) ? standing + 1 : 0;
    const restMs = restWithin(countsOf(run, exposure), {
      restMs: restBetweenPausedWindowsMs(standing),
      countedForMs: countedForMs(exposure),
    });
    if (restMs > 0) await sleep(restMs, { summary: 'rest between counts while nothing moves' });
  }
};

const isStanding = ({ control, rollout }: ReleaseRun): boolean =>
  control.isPaused() || rollout?.state.heldAtPercent !== undefined;

const unreadableForMs = ({ input }: ReleaseRun): number =>
  input.budget?.unreadableForMs ?? longestWindowMs;

const countedForMs = ({ openedAtMs }: Exposure): number => Date.now() - (openedAtMs ?? Date.now());

/** Silence must be noticed as soon as it is too long. */
const nextWindowMs = (run: ReleaseRun, exposure: Exposure): number => {
  const silentMs = Math.max(0, ...countsOf(run, exposure).map((count) => count.silentMs));
  return Math.min(longestWindowMs, Math.max(1_000, unreadableForMs(run) - silentMs));
};

type Named = { name: BudgetCount['name']; query: string; max: number };

const limitsOf = ({
  input: { budget },
}: ReleaseRun): { name: BudgetCount['name']; query: string | undefined; max: number }[] => {
  const { maxExposedRequests, maxBadRequests, exposedRequests, badRequests } = budget ?? {};
  return [
    ...(maxExposedRequests === undefined
      ? []
      : [{ name: 'exposed' as const, query: exposedRequests, max: maxExposedRequests }]),
    ...(maxBadRequests === undefined
      ? []
      : [{ name: 'bad' as const, query: badRequests, max: maxBadRequests }]),
  ];
};

const queriesOf = (run: ReleaseRun): Named[] =>
  limitsOf(run).flatMap(({ query, ...limit }) =>
    query === undefined ? [] : [{ ...limit, query }],
  );

const countsOf = (run: ReleaseRun, exposure: Exposure): BudgetCount[] =>
  limitsOf(run).map(({ name, query, max }) => {
    if (query === undefined) return { ...probed(exposure, name), name, max };
    const { value, atMs } = exposure.read.get(name) ?? { value: null, atMs: 0 };
    const sinceMs = Math.max(atMs, exposure.openedAtMs ?? Date.now(), exposure.retriedAtMs ?? 0);
    return { name, max, source: 'metrics', value, silentMs: Date.now() - sinceMs };
  });

const probed = (
  { probed: counts }: Exposure,
  name: BudgetCount['name'],
): Pick<BudgetCount, 'source' | 'value' | 'silentMs'> => {
  const value = name === 'exposed' ? counts?.samples : counts?.failures;
  return { source: 'prober', value: value ?? null, silentMs: 0 };
};

const readCounts = async (run: ReleaseRun, exposure: Exposure, windowMs: number): Promise<void> => {
  const queries = queriesOf(run);
  if (queries.length === 0) return;
  const names = queryNamesOf(run);
  const counts = queries.map((count) => ({ ...count, query: filledIn(count.query, names) }));
  const { environment } = run.input;
  try {
    const readings = await run.ports.measurements.watchCounts(
      {
        environment,
        counts,
        windowMs,
        countedForMs: countedForMs(exposure),
        everyMs: run.waits.countEveryMs,
      },
      // Longer than this nobody looks; what was not read is asked about instead.
      {
        summary: `count what meets ${names.candidate}`,
        waitMs: windowMs,
        scheduleToCloseMs: windowMs + unreadableForMs(run),
      },
    );
    for (const { name, value, silentMs } of readings) {
      if (value !== null) exposure.read.set(name, { value, atMs: Date.now() - silentMs });
    }
  } catch (error) {
    if (isCancellation(error)) throw error;
    run.note(`the counts of the budget were not read: ${codedErrorOf(error).message}`);
  }
};

/** Stops the release as soon as its budget is exceeded; nothing waits for the end of a step. */
const judge = (run: ReleaseRun, exposure: Exposure): 'within' | 'exceeded' | 'unread' => {
  if (exposure.skippedBy !== undefined) return 'within';
  const { verdict, note } = judgeBudget(countsOf(run, exposure), unreadableForMs(run));
  if (verdict !== 'exceeded') return verdict;
  keepGate(run, { ...resultOf(run, exposure), verdict: 'fail', note });
  exposure.isOver = true;
  run.control.stop({ code: 'BUDGET_EXCEEDED', message: `${budgetGate}: ${note}` });
  return verdict;
};

/** A count that was never read is no data, and no data is never within a budget. */
const resultOf = (run: ReleaseRun, exposure: Exposure): GateResult => {
  const counts = countsOf(run, exposure);
  const { verdict, note } = judgeBudget(counts, unreadableForMs(run));
  const valueOf = (name: string): number =>
    Math.ceil(counts.find((count) => count.name === name)?.value ?? 0);
  const about = {
    name: budgetGate,
    note,
    samples: valueOf('exposed'),
    failures: valueOf('bad'),
  };
  const { skippedBy, notMeasured } = exposure;
  if (skippedBy !== undefined) return { ...about, verdict: 'skipped', note: skippedBy };
  const unknown = counts.filter(({ value }) => value === null);
  if (verdict === 'within' && unknown.length === 0) return { ...about, verdict: 'pass' };
  if (run.rollout?.state.isFull === true) {
    return { ...about, verdict: 'skipped', note: `promoted fully; ${note}` };
  }
  if (notMeasured !== undefined && unknown.every(({ source }) => source === 'prober')) {
    return { ...about, verdict: 'not-measured', note: notMeasured };
  }
  return { ...about, verdict: 'inconclusive' };
};

/** Forward moves stand still until someone decides; nobody in time puts the release back. */
const decide = async (
  run: ReleaseRun,
  exposure: Exposure,
  about: Pick<GateResult, 'name' | 'note'>,
): Promise<void> => {
  const answer = await askAboutInconclusive(run, about, undecidedHold);
  const { verb, actor, reason } = answer ?? {};
  if (verb === 'retryStep') {
    exposure.retriedAtMs = Date.now();
    return;
  }
  if (verb === 'skip') {
    exposure.skippedBy = `${actor ?? ''} let it go on without a budget: ${reason ?? ''}`;
    keepGate(run, resultOf(run, exposure));
    return;
  }
  const error =
    verb === undefined
      ? ({
          code: 'NO_DATA',
          message: `${about.name}: nobody decided in time: ${about.note}`,
        } as const)
      : ({
          code: 'ABORTED',
          message: `${actor ?? ''} aborted the release: ${reason ?? ''}`,
        } as const);
  run.control.stop(error);
  throw codedFailure(error);
};
