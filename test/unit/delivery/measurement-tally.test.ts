import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  defaultAnalysisLimits,
  verdictOnTally,
} from '../../../domain/delivery/analysis-verdict.ts';
import {
  addMeasurement,
  keepEvidence,
  tallyMeasurements,
} from '../../../domain/delivery/measurement-tally.ts';
import type { Finished } from './random-analyses.ts';
import { anyRun, finished, limits, noLimits, outcomes, runOf, verdict } from './random-analyses.ts';

describe('the verdict of an analysis, whatever the run', () => {
  test('only measurements that succeeded can pass', () => {
    fc.assert(
      fc.property(
        runOf(fc.constantFrom<Finished>('no-data', 'error', 'inconclusive')),
        limits,
        fc.boolean(),
        (...[states, of, ended]) => {
          expect(verdict(states, of, ended).verdict).not.toBe('pass');
        },
      ),
    );
  });

  test('a crossed failure limit stays crossed, whatever is measured after it', () => {
    fc.assert(
      fc.property(runOf(finished), runOf(finished), limits, (...[states, after, of]) => {
        const isProven = verdict(states, of).because === 'failure-limit';
        const isStillProven = verdict([...states, ...after], of).because === 'failure-limit';
        expect(isStillProven || !isProven).toBe(true);
      }),
    );
  });

  test('a run that may not fail and is asked for nothing proves nothing', () => {
    expect(verdict(['success'], { ...noLimits, failureLimit: -1, count: 1 })).toMatchObject({
      verdict: 'inconclusive',
      because: 'nothing-asked',
    });
  });

  test('the tally, grown by one measurement at a time, gives the same verdict as the run', () => {
    fc.assert(
      fc.property(anyRun, ({ states, limits: of, ended }) => {
        const [first, ...rest] = outcomes(states);
        const start = tallyMeasurements(first === undefined ? [] : [first]);
        const tally = rest.reduce(addMeasurement, start);
        expect(verdictOnTally({ tally, limits: of, ended })).toEqual(verdict(states, of, ended));
      }),
    );
  });

  test('the note says what was counted', () => {
    expect(verdict(['success', 'failed'], defaultAnalysisLimits).note).toBe(
      '1 measurements failed, 0 allowed',
    );
    expect(verdict(['success'], { ...defaultAnalysisLimits, count: 1 }).note).toBe(
      '1 of 1 measurements succeeded',
    );
  });

  test('the last measurements are kept as evidence', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), fc.nat(25), (measurements, last) => {
        const kept = keepEvidence(measurements, last);
        expect(kept).toHaveLength(Math.min(last, measurements.length));
        expect([...measurements.slice(0, measurements.length - kept.length), ...kept]).toEqual(
          measurements,
        );
      }),
    );
  });
});
