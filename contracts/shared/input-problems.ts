import type { z } from 'zod';

/** One reason why an input was refused. */
export interface InputProblem {
  /** `smoke[0].path`: the field as people write it; empty for the whole input. */
  field: string;
  reason: string;
}

/**
 * Every problem of an input. Unknown fields are named one by one; of a union, the
 * branch that came closest is explained, because a reader meant one of them.
 */
export const inputProblems = (error: z.ZodError): InputProblem[] =>
  error.issues.flatMap(flatten).map(({ path, reason }) => ({ field: fieldName(path), reason }));

/** `field: reason; field: reason`, for the text of an error. */
export const describeProblems = (problems: readonly InputProblem[]): string =>
  problems.map(({ field, reason }) => (field === '' ? reason : `${field}: ${reason}`)).join('; ');

interface FlatIssue {
  path: readonly PropertyKey[];
  reason: string;
}

const flatten = (issue: z.core.$ZodIssue): FlatIssue[] => {
  if (issue.code === 'unrecognized_keys') {
    const reason = 'there is no such field';
    return issue.keys.map((key) => ({ path: [...issue.path, key], reason }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const closest = issue.errors.reduce((best, next) =>
      distanceOf(next) < distanceOf(best) ? next : best,
    );
    return closest
      .flatMap(flatten)
      .map(({ path, reason }) => ({ path: [...issue.path, ...path], reason }));
  }
  return [{ path: issue.path, reason: issue.message }];
};

/** Fields that a branch does not know tell more than mistakes in those that it knows. */
const distanceOf = (branch: readonly z.core.$ZodIssue[]): number => {
  const unknown = branch.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  return unknown.length * manyMistakes + branch.flatMap(flatten).length;
};

const manyMistakes = 1_000;

const fieldName = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${String(part)}]`;
    return name === '' ? String(part) : `${name}.${String(part)}`;
  }, '');
