import type { z } from 'zod';
import { inputProblems } from '../contracts/shared/input-problems.ts';
import { OpsError } from './ops-error.ts';

/**
 * Reads a value through a schema.
 *
 * @throws INVALID_INPUT with every field and reason
 */
export const parseInput = <Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.output<Schema> => {
  const outcome = schema.safeParse(value);
  if (outcome.success) return outcome.data;
  const problems = inputProblems(outcome.error);
  const lines = problems.map(({ field, reason }) => `${field === '' ? 'input' : field}: ${reason}`);
  const subject = problems[0]?.field ?? '';
  throw new OpsError(
    {
      code: 'INVALID_INPUT',
      message: `${[...new Set(lines)].join('\n')}\nNothing was changed.`,
      ...(subject === '' ? {} : { subject }),
    },
    { cause: outcome.error },
  );
};
