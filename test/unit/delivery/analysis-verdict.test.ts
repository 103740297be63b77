import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  analysisVerdict,
  defaultAnalysisLimits,
} from '../../../domain/delivery/analysis-verdict.ts';
import { expireMeasurements } from '../../../domain/delivery/measurement-tally.ts';
import type { Finished } from './random-analyses.ts';
import {
  answered,
  anyRun,
  count,
  failedOver,
  holdsWhere,
  inconclusiveOver,
  limits,
  longestRow,
  noLimits,
  outcomes,
  runOf,
  silentOver,
  stopped,
  verdict,
} from './random-analyses.ts';

describe('the verdict of an analysis, row by row', () => {
  test('failed > failureLimit: fail, whatever else is true', () => {
    holdsWhere(failedOver, ({ states, limits: of, ended }) => {
      expect(verdict(states, of, ended)).toMatchObject({
        verdict: 'fail',
        because: 'failure-limit',
      });
    });
  });

  test('failed > failureLimit: also when inconclusive and errors are over their limits', () => {
    const rest = fc.shuffledSubarray(
      [
        'failed',
        ...Array<Finished>(3).fill('inconclusive'),
        ...Array<Finished>(5).fill('error'),
      ] as Finished[],
      { minLength: 9 },
    );
    fc.assert(
      fc.property(rest, fc.boolean(), (states, ended) => {
        expect(verdict(states, defaultAnalysisLimits, ended).verdict).toBe('fail');
      }),
    );
  });

  test('failed > failureLimit: a negative limit is off, and no failure fails', () => {
    fc.assert(
      fc.property(runOf(answered), (states) => {
        const off = { ...noLimits, failureLimit: -1 };
        expect(verdict(states, off).verdict).toBe('running');
      }),
    );
  });

  test('inconclusive > inconclusiveLimit: inconclusive, unless a failure is proven', () => {
    holdsWhere(
      (run) => inconclusiveOver(run) && !failedOver(run),
      ({ states, limits: of, ended }) => {
        expect(verdict(states, of, ended)).toMatchObject({
          verdict: 'inconclusive',
          because: 'inconclusive-limit',
        });
      },
    );
  });

  test('consecutive errors > limit: error, ranked after fail', () => {
    holdsWhere(
      (run) => silentOver(run) && !failedOver(run) && !inconclusiveOver(run),
      ({ states, limits: of, ended }) => {
        expect(verdict(states, of, ended)).toMatchObject({
          verdict: 'error',
          because: 'error-limit',
        });
      },
    );
  });

  test('consecutive errors > limit: errors with answers between them do not add up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), (rounds) => {
        const states = Array.from({ length: rounds }, () => [
          ...Array<Finished>(4).fill('error'),
          'success' as const,
        ]).flat();
        expect(verdict(states, defaultAnalysisLimits).verdict).toBe('running');
        expect(
          verdict([...states, ...Array<Finished>(5).fill('error')], defaultAnalysisLimits),
        ).toMatchObject({
          verdict: 'error',
          note: '5 measurements in a row brought no answer, 4 allowed',
        });
      }),
    );
  });

  test('consecutiveSuccessLimit reached: pass, on enough valid samples', () => {
    holdsWhere(
      (run) =>
        !stopped(run) &&
        run.limits.consecutiveSuccessLimit !== undefined &&
        longestRow(run.states, 'success') >= run.limits.consecutiveSuccessLimit &&
        count(run.states, 'success', 'failed') >= (run.limits.minSamples ?? 1),
      ({ states, limits: of, ended }) => {
        expect(verdict(states, of, ended)).toMatchObject({
          verdict: 'pass',
          because: 'success-streak',
        });
      },
    );
  });

  test('count reached with only failureLimit set and enough valid samples: pass', () => {
    holdsWhere(
      (run) =>
        !stopped(run) &&
        run.limits.failureLimit >= 0 &&
        run.limits.consecutiveSuccessLimit === undefined &&
        count(run.states, 'success', 'failed', 'inconclusive') >= (run.limits.count ?? 99) &&
        count(run.states, 'success', 'failed') >= (run.limits.minSamples ?? 1),
      ({ states, limits: of, ended }) => {
        expect(verdict(states, of, ended)).toMatchObject({ verdict: 'pass', because: 'complete' });
      },
    );
  });

  test('count reached, both limits set, success streak missing: inconclusive', () => {
    const both = { ...noLimits, consecutiveSuccessLimit: 3 };
    const broken = fc.array(
      fc.constantFrom<Finished[]>(['success', 'failed'], ['success', 'success', 'failed']),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(broken, fc.boolean(), (rows, ended) => {
        const states = rows.flat();
        expect(verdict(states, { ...both, count: states.length }, ended)).toMatchObject({
          verdict: 'inconclusive',
          because: 'streak-missing',
        });
      }),
    );
  });

  test('count reached, only a success streak asked for and missing: fail', () => {
    const onlyStreak = { ...noLimits, failureLimit: -1, consecutiveSuccessLimit: 3 };
    const broken = fc.array(
      fc.constantFrom<Finished[]>(['success', 'failed'], ['success', 'success', 'failed']),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(broken, fc.boolean(), (rows, ended) => {
        const states = rows.flat();
        expect(verdict(states, { ...onlyStreak, count: states.length }, ended)).toMatchObject({
          verdict: 'fail',
          because: 'streak-missing',
        });
      }),
    );
  });

  test('ended with zero measurements: inconclusive', () => {
    fc.assert(
      fc.property(limits, (of) => {
        expect(verdict([], of, true).verdict).toBe('inconclusive');
        expect(verdict([], of, false).verdict).toBe('running');
      }),
    );
  });

  test('ended early below the minimum sample count: inconclusive', () => {
    holdsWhere(
      (run) =>
        !stopped(run) &&
        count(run.states, 'success', 'failed') < (run.limits.minSamples ?? run.limits.count ?? 1) &&
        count(run.states, 'success', 'failed', 'inconclusive') < (run.limits.count ?? 99) &&
        longestRow(run.states, 'success') < (run.limits.consecutiveSuccessLimit ?? 99),
      ({ states, limits: of }) => {
        expect(verdict(states, of, true)).toMatchObject({
          verdict: 'inconclusive',
          because: 'too-few-samples',
        });
        expect(verdict(states, of, false).verdict).toBe('running');
      },
    );
  });

  test('ended early with enough valid samples and a failure limit: pass', () => {
    const states = fc.array(fc.constant<Finished>('success'), { minLength: 3, maxLength: 9 });
    fc.assert(
      fc.property(states, (seen) => {
        const background = { ...defaultAnalysisLimits, minSamples: 3 };
        expect(verdict(seen, background, true)).toMatchObject({
          verdict: 'pass',
          because: 'ended',
        });
        expect(verdict(seen, { ...background, count: 10 }, true).verdict).toBe('pass');
      }),
    );
  });

  test('last measurement still in flight: running until its deadline, and no pass meanwhile', () => {
    fc.assert(
      fc.property(anyRun, fc.nat(10_000), ({ states, limits: of, ended }, deadlineMs) => {
        const measurements = [...outcomes(states), { state: 'in-flight' as const, deadlineMs }];
        const result = analysisVerdict({ measurements, limits: of, ended });
        const isStopped = stopped({ states, limits: of, ended });
        expect(result.verdict === 'running').toBe(!isStopped);
        expect(result.inFlightUntilMs).toBe(deadlineMs);
        expect(result.verdict).not.toBe('pass');
      }),
    );
  });

  test('last measurement still in flight: after its deadline it is an error like any other', () => {
    fc.assert(
      fc.property(anyRun, fc.nat(10_000), ({ states, limits: of, ended }, deadlineMs) => {
        const measurements = [...outcomes(states), { state: 'in-flight' as const, deadlineMs }];
        expect(expireMeasurements(measurements, deadlineMs - 1)).toEqual(measurements);
        const expired = expireMeasurements(measurements, deadlineMs);
        expect(analysisVerdict({ measurements: expired, limits: of, ended })).toEqual(
          verdict([...states, 'error'], of, ended),
        );
      }),
    );
  });
});
