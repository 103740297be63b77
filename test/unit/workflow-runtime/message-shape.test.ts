import { describe, expect, test } from '@jest/globals';
import { messageLimits } from '../../../contracts/messages.ts';
import { MessageSchema, PlanDecisionSchema } from '../../../contracts/shared/message.ts';
import { messageProblem } from '../../../workflows/runtime/message-shape.ts';

const good = { actor: 'ana', reason: 'why' };
const planDigest = `sha256:${'a'.repeat(64)}`;

const candidates: unknown[] = [
  good,
  { ...good, proof: 'p' },
  { ...good, planDigest },
  { ...good, planDigest: 'sha256:zz' },
  { ...good, extra: true },
  { actor: '', reason: 'why' },
  { actor: 'ana' },
  { actor: 7, reason: 'why' },
  { ...good, reason: 'x'.repeat(messageLimits.reasonChars + 1) },
  { ...good, proof: 'x'.repeat(messageLimits.proofChars + 1) },
  { ...good, actor: 'x'.repeat(messageLimits.actorChars) },
  null,
  'approve',
  [good],
  undefined,
];

// zod does not run in a workflow, so the guard there is written by hand: both must agree.
describe('the guard in the workflow and the schema of the contract agree', () => {
  test.each(candidates.map((candidate, index) => [index, candidate] as const))(
    'message %i',
    (_, candidate) => {
      expect(messageProblem(candidate) === undefined).toBe(
        MessageSchema.safeParse(candidate).success,
      );
      expect(messageProblem(candidate, 'approve') === undefined).toBe(
        PlanDecisionSchema.safeParse(candidate).success,
      );
    },
  );
});

test('the problem names the field', () => {
  expect(messageProblem({ actor: 'ana' })).toContain('`reason`');
  expect(messageProblem({ ...good, planDigest: 'latest' }, 'approve')).toContain('`planDigest`');
});
