import { expect, test } from '@jest/globals';
import {
  ActivityFailure,
  ApplicationFailure,
  RetryState,
  TimeoutFailure,
} from '@temporalio/common';
import { codedErrorOf, codedFailure } from '../../../workflows/runtime/failures.ts';

const inActivity = (cause: Error): ActivityFailure =>
  new ActivityFailure('Activity task failed', 'releases.plan', '1', RetryState.TIMEOUT, 'w', cause);

test('the code survives the way out of an activity, with its advice', () => {
  const thrown = inActivity(
    codedFailure({ code: 'OBJECT_HELD', message: 'held', subject: 'Service/a' }),
  );
  expect(codedErrorOf(thrown)).toEqual({
    code: 'OBJECT_HELD',
    message: 'held',
    subject: 'Service/a',
    next: expect.stringContaining('Rename') as unknown,
  });
});

test('a timeout says what the last attempt failed with', () => {
  const last = ApplicationFailure.retryable('connection refused', 'CLUSTER_UNREACHABLE');
  const timeout = Object.assign(new TimeoutFailure('timed out', undefined, 'SCHEDULE_TO_CLOSE'), {
    cause: last,
  });
  expect(codedErrorOf(inActivity(timeout))).toMatchObject({
    code: 'CLUSTER_UNREACHABLE',
    message: 'connection refused',
  });
});

test('a timeout without an attempt names the activity and asks for its worker', () => {
  const timeout = new TimeoutFailure('timed out', undefined, 'SCHEDULE_TO_CLOSE');
  const { code, message } = codedErrorOf(inActivity(timeout));
  expect(code).toBe('INTERNAL');
  expect(message).toBe(
    'releases.plan: no answer in time (SCHEDULE_TO_CLOSE); is a worker of its pool running?',
  );
});

test('an unknown error is INTERNAL with its own words, also when it refers to itself', () => {
  const loop = new Error('odd');
  loop.cause = loop;
  expect(codedErrorOf(loop)).toEqual({ code: 'INTERNAL', message: 'odd' });
  expect(codedErrorOf('text')).toEqual({ code: 'INTERNAL', message: 'text' });
});
