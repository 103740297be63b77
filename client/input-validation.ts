import type { z } from 'zod';
import { OpsError } from './ops-error.ts';

/** One field that is wrong, and why. */
export interface FieldIssue {
  field: PropertyKey[];
  message: string;
}

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
  const issues = outcome.error.issues.flatMap(flattenIssue);
  const lines = issues.map(({ field, message }) => `${formatField(field) || 'input'}: ${message}`);
  const subject = formatField(issues[0]?.field ?? []);
  throw new OpsError(
    {
      code: 'INVALID_INPUT',
      message: `${[...new Set(lines)].join('\n')}\nNothing was changed.`,
      ...(subject === '' ? {} : { subject }),
    },
    { cause: outcome.error },
  );
};

/** `smoke[0].http.path`: the name of a field as people write it. */
export const formatField = (field: readonly PropertyKey[]): string =>
  field.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${String(part)}]`;
    return name === '' ? String(part) : `${name}.${String(part)}`;
  }, '');

/** Issues as field and reason: unknown keys one by one, of a union the branch that came closest. */
export const flattenIssue = (issue: z.core.$ZodIssue): FieldIssue[] => {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: [...issue.path, key],
      message: 'there is no such field',
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branches = issue.errors.map((branch) => branch.flatMap(flattenIssue));
    const closest = branches.reduce((best, branch) =>
      branch.length < best.length ? branch : best,
    );
    return closest.map(({ field, message }) => ({ field: [...issue.path, ...field], message }));
  }
  return [{ field: [...issue.path], message: issue.message }];
};
