import { codedErrorOf, codedFailure } from '../coded-failure.ts';
import type { CodedError } from '../../contracts/errors.ts';
import { ApiError, ApiUnreachable, isPreconditionFailure } from './api-error.ts';

/** What was going on, for the sentence about what was done. */
export interface ErrorSubject {
  /** `Deployment/shop`, or what else the call was about. */
  subject: string;
  /** Values of a Secret must not get into an error that is kept in history. */
  secret?: boolean;
}

const forbiddenPattern = /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]*)"/;

const permission = (error: ApiError): string => {
  const found = forbiddenPattern.exec(error.message)?.groups;
  if (found === undefined) return `The API server refuses ${error.request}: ${error.message}`;
  const { user = '', verb = '', resource = '' } = found;
  return `User ${user} may not ${verb} ${resource} (${error.request}).`;
};

/** Field names tell enough about a Secret; messages of the validation quote values. */
const reasonsOf = (error: ApiError, secret: boolean): string => {
  if (secret)
    return error.causes.map(({ field }) => field).join(', ') || 'the server names no field';
  const causes = error.causes.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return causes === '' ? error.message : causes;
};

const immutablePattern =
  /immutable|may not (be )?change|updates to .* are forbidden|is forbidden: updates/i;

const invalid = (error: ApiError, { subject, secret = false }: ErrorSubject): CodedError => {
  const reasons = reasonsOf(error, secret);
  const immutable = immutablePattern.test(error.message);
  return immutable
    ? {
        code: 'IMMUTABLE_CHANGE',
        message: `${subject}: ${reasons}; nothing was touched.`,
        subject,
      }
    : {
        code: 'MANIFEST_INVALID',
        message: `${subject} is not valid: ${reasons}; nothing was touched.`,
        subject,
      };
};

const forbidden = (error: ApiError, { subject }: ErrorSubject): CodedError => {
  if (error.message.includes('exceeded quota')) {
    return { code: 'QUOTA_EXCEEDED', message: `${subject}: ${error.message}`, subject };
  }
  if (error.message.includes('because it is being terminated')) {
    return { code: 'NAMESPACE_MISSING', message: error.message, subject };
  }
  return { code: 'PERMISSION_MISSING', message: permission(error), subject };
};

const missing = (error: ApiError, { subject }: ErrorSubject): CodedError =>
  error.resource === 'namespaces'
    ? { code: 'NAMESPACE_MISSING', message: `${error.message}; nothing was touched.`, subject }
    : { code: 'INTERNAL', message: `${error.request}: ${error.message}`, subject };

const byStatus: Readonly<Record<number, (error: ApiError, about: ErrorSubject) => CodedError>> = {
  400: invalid,
  401: (_error, { subject }) => ({
    code: 'PERMISSION_MISSING',
    message: 'The API server does not accept the credentials of the environment.',
    subject,
  }),
  403: forbidden,
  404: missing,
  409: (error, { subject }) => ({
    code: 'WRITE_CONFLICT',
    message: `${subject}: ${error.message}`,
    subject,
  }),
  415: invalid,
  422: invalid,
  429: (_error, { subject }) => ({
    code: 'RATE_LIMITED',
    message: `The API server asks to slow down (${subject}).`,
    subject,
  }),
};

/** Server-side apply answers 500 to a manifest that does not fit the schema (Kubernetes 1.36). */
const schemaPattern = /failed to create typed (patch|live) object|field not declared in schema/;

const changedMeanwhile = ({ subject }: ErrorSubject): CodedError => ({
  code: 'WRITE_CONFLICT',
  message: `${subject} changed after it was read; nothing was written, and it is read again.`,
  subject,
});

const codedAnswer = (error: ApiError, about: ErrorSubject): CodedError => {
  if (error.status === 500 && schemaPattern.test(error.message)) return invalid(error, about);
  if (isPreconditionFailure(error)) return changedMeanwhile(about);
  const known = byStatus[error.status];
  if (known !== undefined) return known(error, about);
  const message = `The API server failed with ${String(error.status)} on ${error.request}: ${error.message}`;
  const code = error.status >= 500 ? 'CLUSTER_UNREACHABLE' : 'INTERNAL';
  return { code, message, subject: about.subject };
};

/** The coded failure for anything that a call to the API server threw; others pass unchanged. */
export const translateApiError = (error: unknown, about: ErrorSubject): unknown => {
  if (codedErrorOf(error) !== undefined) return error;
  if (error instanceof ApiUnreachable) {
    const message = `The API server does not answer (${error.message}).`;
    return codedFailure({ code: 'CLUSTER_UNREACHABLE', message, subject: about.subject });
  }
  if (!(error instanceof ApiError)) return error;
  const { retryAfterMs } = error;
  return codedFailure(
    codedAnswer(error, about),
    error.status === 429 && retryAfterMs !== undefined ? { nextRetryDelayMs: retryAfterMs } : {},
  );
};

/** Runs calls to the API server; what they throw leaves as a coded failure. */
export const translated = async <T>(about: ErrorSubject, run: () => Promise<T>): Promise<T> => {
  try {
    return await run();
  } catch (error) {
    throw translateApiError(error, about);
  }
};
