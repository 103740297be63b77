import { describe, expect, test } from '@jest/globals';
import {
  checkNames,
  combineChecks,
  judgeCommand,
  judgeJob,
} from '../../../domain/delivery/check-verdict.ts';
import { notMeasured, opens } from '../../../domain/delivery/gate.ts';

test('checks are called by what they ask, and two of one name are told apart', () => {
  const job = { metadata: { name: 'rows' } };
  expect(
    checkNames([
      { path: '/a' },
      { exec: ['sh', '-c', 'true'] },
      { job },
      { job },
      { url: 'http://b' },
    ]),
  ).toEqual(['/a', 'exec sh -c true', 'job rows', 'job rows (2)', 'http://b']);
});

describe('a command', () => {
  test.each([
    [0, 'pass'],
    [1, 'fail'],
    [137, 'fail'],
    [null, 'fail'],
  ] as const)('that ends with %p is a %s', (exitCode, verdict) => {
    expect(judgeCommand('exec true', { exitCode, answer: '' }).verdict).toBe(verdict);
  });

  test('is told with what it said', () => {
    expect(judgeCommand('c', { exitCode: 3, answer: 'no table' }).note).toBe(
      'exit code 3: no table',
    );
  });
});

describe('a Job', () => {
  test.each([
    ['complete', 'pass'],
    ['failed', 'fail'],
    ['unfinished', 'no-data'],
    ['gone', 'no-data'],
  ] as const)('that is %s is %s', (end, verdict) => {
    expect(judgeJob('job rows', end, '').verdict).toBe(verdict);
  });
});

describe('checks together', () => {
  const pass = judgeJob('a', 'complete', '');
  const fail = judgeJob('b', 'failed', 'it failed');
  const unfinished = judgeJob('c', 'unfinished', 'still runs');
  const away = notMeasured('d', 'no pods here');

  test('pass only where each passed', () => {
    expect(combineChecks('smoke', [pass, pass])).toMatchObject({ verdict: 'pass', samples: 2 });
    expect(combineChecks('smoke', [pass, away])).toMatchObject({
      verdict: 'not-measured',
      note: 'd: no pods here',
    });
  });

  test('a failure goes before missing data, and that before what is not measured', () => {
    expect(combineChecks('smoke', [away, unfinished, fail, pass])).toMatchObject({
      verdict: 'fail',
      note: 'b: it failed',
    });
    const missing = combineChecks('smoke', [away, unfinished, pass]);
    expect(missing).toMatchObject({ verdict: 'no-data', note: 'c: still runs' });
    expect(opens(missing)).toBe(false);
  });

  test('of which there is none are no data', () => {
    expect(combineChecks('smoke', []).verdict).toBe('no-data');
  });
});
