import { OpsError } from '../ops-error.ts';

/** The environment of a command that cannot do without. @throws INVALID_INPUT */
export const requireEnvironment = (environment: string | undefined): string => {
  if (environment !== undefined && environment !== '') return environment;
  throw new OpsError({
    code: 'INVALID_INPUT',
    message: 'environment: is missing. Nothing was done.',
    next: 'Name it with -e ENV, or set HOLDFAST_ENVIRONMENT.',
    subject: 'environment',
  });
};
