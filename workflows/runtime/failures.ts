import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { CodedError } from '../../contracts/errors.ts';
import { errors, isErrorCode } from '../../contracts/errors.ts';

/** Fails the run, or refuses a message, with a coded error that callers can read. */
export const codedFailure = (error: CodedError): ApplicationFailure => {
  const detail: CodedError = { next: errors[error.code].next, ...error };
  return ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: true,
    details: [detail],
  });
};

/**
 * The coded error inside whatever an activity or child threw. A timeout keeps the
 * last failure as its cause, which says more than the timeout does.
 */
export const codedErrorOf = (error: unknown): CodedError => {
  const chain = causes(error);
  for (const link of chain) {
    const coded = readCoded(link);
    if (coded !== undefined) return coded;
  }
  const activity = chain.find((link) => link instanceof ActivityFailure)?.activityType;
  const message = textOf(chain.at(-1));
  return {
    code: 'INTERNAL',
    message: activity === undefined ? message : `${activity}: ${message}`,
    ...(activity === undefined ? {} : { subject: activity }),
  };
};

const textOf = (error: unknown): string => {
  if (error instanceof TimeoutFailure) {
    return `no answer in time (${error.timeoutType}); is a worker of its pool running?`;
  }
  return error instanceof Error ? error.message : String(error);
};

/** Guards against a cause that refers back to itself. */
const deepestCause = 20;

const causes = (error: unknown): unknown[] => {
  const chain: unknown[] = [];
  let link: unknown = error;
  while (link !== undefined && chain.length < deepestCause) {
    chain.push(link);
    link = link instanceof Error ? link.cause : undefined;
  }
  return chain;
};

const readCoded = (error: unknown): CodedError | undefined => {
  if (!(error instanceof ApplicationFailure)) return undefined;
  const { type, details, message } = error;
  if (typeof type !== 'string' || !isErrorCode(type)) return undefined;
  const detail: unknown = details?.[0];
  return isCodedDetail(detail, type) ? detail : { code: type, message };
};

const isCodedDetail = (value: unknown, type: string): value is CodedError =>
  typeof value === 'object' &&
  value !== null &&
  'code' in value &&
  value.code === type &&
  'message' in value &&
  typeof value.message === 'string';

/** Refuses input whose mistakes only a look outside can show; nothing where there is none. */
export const refuseInput = (problems: readonly { field: string; reason: string }[]): void => {
  const [first] = problems;
  if (first === undefined) return;
  const message = problems.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
  throw codedFailure({
    code: 'INVALID_INPUT',
    message: `${message}. Nothing was touched.`,
    subject: first.field,
  });
};
