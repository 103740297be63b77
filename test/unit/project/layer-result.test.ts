import { describe, expect, test } from '@jest/globals';

import {
  forbidSkips,
  jestResult,
  killResult,
  requireTests,
} from '../../../scripts/layer-result.ts';

function report(...tests: readonly (readonly [status: string, fullName: string])[]) {
  return {
    numRuntimeErrorTestSuites: 0,
    testResults: [
      {
        name: '/checkout/test/unit/some.test.ts',
        assertionResults: tests.map(([status, fullName]) => ({
          status,
          fullName,
          title: fullName,
        })),
      },
    ],
  };
}

describe('counting a test report', () => {
  test('prints the reason of a skip once, with how many tests it concerns', () => {
    const result = jestResult(
      report(
        ['passed', 'a'],
        ['pending', 'level 2 [skipped: needs root] deploys'],
        ['pending', 'level 2 [skipped: needs root] undoes'],
      ),
    );
    expect(result).toEqual({
      passed: 1,
      failed: 0,
      skipped: 2,
      remarks: ['2 skipped: needs root'],
      passedTests: ['unit/some: a'],
      excusedTests: [
        'unit/some: level 2 [skipped: needs root] deploys',
        'unit/some: level 2 [skipped: needs root] undoes',
      ],
    });
  });

  test.each(['pending', 'todo', 'disabled'])('a test left %s without a reason fails', (status) => {
    const result = jestResult(report([status, 'forgotten']));
    expect(result).toMatchObject({ failed: 1, skipped: 0 });
    expect(result.remarks.join()).toContain('forgotten');
  });

  test('a test file that cannot be loaded fails although it holds no test', () => {
    expect(jestResult({ ...report(), numRuntimeErrorTestSuites: 1 })).toMatchObject({ failed: 1 });
  });

  test('a layer without tests fails', () => {
    expect(requireTests(jestResult(report()))).toMatchObject({ failed: 1 });
  });

  test('a skip is a failure where everything can run', () => {
    const result = jestResult(report(['pending', 'x [skipped: no Go]']));
    expect(forbidSkips(result)).toMatchObject({ failed: 1, skipped: 0 });
  });
});

describe('counting the kill matrix', () => {
  const after = (line: string) => `some talk\n${line}\n`;

  test('passes the points that were hit and ended identical', () => {
    const result = killResult(after('points: 42 shown, 42 hit, 42 identical'), true);
    expect(result).toMatchObject({ passed: 42, failed: 0 });
  });

  test('fails a point that nothing hit', () => {
    const result = killResult(after('points: 42 shown, 41 hit, 41 identical'), true);
    expect(result).toMatchObject({ passed: 41, failed: 1 });
  });

  test('fails when the numbers are equal but the run says otherwise', () => {
    const result = killResult(after('points: 42 shown, 42 hit, 42 identical'), false);
    expect(result).toMatchObject({ passed: 42, failed: 1 });
  });

  test.each([true, false])('fails without the summary line (exit code 0: %s)', (ok) => {
    expect(requireTests(killResult('crashed early', ok))).toMatchObject({ passed: 0, failed: 1 });
  });
});
