import { ApplicationFailure } from '@temporalio/common';
import { errors, isErrorCode, type CodedError, type ErrorCode } from '../contracts/errors.ts';

export interface CodedFailureOptions {
  /** What was caught; it stays readable in the Temporal UI below the coded error. */
  cause?: unknown;
  /** When to try again, where the other side said so (`Retry-After`). */
  nextRetryDelayMs?: number;
}

/**
 * A coded error as an activity throws it: the code is the type on the wire and
 * the whole error is the first detail, so that a workflow reads it back without
 * parsing text. Whether Temporal retries comes from the table alone.
 */
export const codedFailure = (
  error: CodedError,
  options: CodedFailureOptions = {},
): ApplicationFailure => {
  const detail: CodedError = { next: errors[error.code].next, ...error };
  return ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: !errors[error.code].retryable,
    details: [detail],
    ...(options.cause instanceof Error ? { cause: options.cause } : {}),
    ...(options.nextRetryDelayMs === undefined ? {} : { nextRetryDelay: options.nextRetryDelayMs }),
  });
};

/** The coded error inside a failure of ours; undefined for any other error. */
export const codedErrorOf = (error: unknown): CodedError | undefined => {
  if (!(error instanceof ApplicationFailure) || !isCode(error.type)) return undefined;
  const [detail] = error.details ?? [];
  return isCodedError(detail) ? detail : { code: error.type, message: error.message };
};

const isCode = (type: string | null | undefined): type is ErrorCode =>
  typeof type === 'string' && isErrorCode(type);

const isCodedError = (value: unknown): value is CodedError =>
  typeof value === 'object' &&
  value !== null &&
  'code' in value &&
  isCode(String(value.code)) &&
  'message' in value;
