import { describe, expect, test } from '@jest/globals';
import { codedErrorOf, codedFailure } from '../../../activities/coded-failure.ts';
import { createUnverifiedIdentity } from '../../../activities/identity/index.ts';
import { errors, type ErrorCode } from '../../../contracts/errors.ts';

describe('a coded failure', () => {
  test.each(Object.keys(errors) as ErrorCode[])('of %s is retried as the table says', (code) => {
    const failure = codedFailure({ code, message: 'it happened' });
    expect(failure.type).toBe(code);
    expect(failure.nonRetryable).toBe(!errors[code].retryable);
    expect(codedErrorOf(failure)).toEqual({
      code,
      message: 'it happened',
      next: errors[code].next,
    });
  });

  test('keeps subject, advice, cause and the time of the next attempt', () => {
    const cause = new Error('429');
    const error = {
      code: 'RATE_LIMITED',
      message: 'slow down',
      next: 'Wait.',
      subject: 'Service/shop',
    } as const;
    const failure = codedFailure(error, { cause, nextRetryDelayMs: 3_000 });
    expect(failure).toMatchObject({ cause, nextRetryDelay: 3_000, details: [error] });
  });

  test('is not seen in errors that have no code of ours', () => {
    expect(codedErrorOf(new Error('boom'))).toBeUndefined();
    expect(codedErrorOf(undefined)).toBeUndefined();
  });
});

test('an identity that nobody checks is called unverified, with or without a proof', async () => {
  const identity = createUnverifiedIdentity();
  const asked = {
    actor: 'ana@example.com',
    action: 'deployService.approve',
    workflowId: 'deploy:staging:shop:1',
    content: {},
    about: { environment: 'staging', service: 'shop' },
    askedAtMs: 0,
  };
  const without = await identity.verify(asked);
  const withProof = await identity.verify({ ...asked, proof: 'token' });
  expect([without, withProof]).toMatchObject([
    { actor: 'ana@example.com', verification: 'unverified' },
    { actor: 'ana@example.com', verification: 'unverified' },
  ]);
  expect(without.note).not.toBe(withProof.note);
  expect(withProof.note).not.toContain('token');
});
