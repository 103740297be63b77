import {
  ActivityExecutionFailedError,
  isGrpcServiceError,
  QueryNotRegisteredError,
  QueryRejectedError,
  ServiceError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import {
  ApplicationFailure,
  CancelledFailure,
  NamespaceNotFoundError,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { isErrorCode, type CodedError } from '../contracts/errors.ts';
import { manageAccess } from '../contracts/security/manage-access.ts';
import { OpsError } from './ops-error.ts';

// Numbers of the gRPC status codes (grpc.github.io/grpc/core/md_doc_statuscodes.html).
const unreachableStatus: ReadonlySet<number> = new Set([4, 14]);
const invalidStatus: ReadonlySet<number> = new Set([3]);
// Cancelled, deadline exceeded, and failed precondition: `no poller seen for task queue recently`.
const noWorkerStatus: ReadonlySet<number> = new Set([1, 4, 9]);
const unauthenticatedStatus: ReadonlySet<number> = new Set([7, 16]);

/** What a call was about, for the text of an error. */
export interface CallContext {
  /** Workflow id of the run. */
  run?: string;
  /** Of the run, where it is known. */
  useCase?: string;
  /** Address of the Temporal server. */
  address?: string;
  /** The answer comes from a worker: without one the call only runs into its deadline. */
  asksWorker?: boolean;
}

/**
 * Any error of a call as an {@link OpsError}: foreign errors are translated here, once.
 */
export const toOpsError = (error: unknown, context: CallContext = {}): OpsError => {
  if (error instanceof OpsError) return error;
  const coded = codedError(error) ?? closedRunError(error, context) ?? serverError(error, context);
  const fallback: CodedError = { code: 'INTERNAL', message: messageOf(error) };
  return new OpsError(coded ?? fallback, { cause: error });
};

/** A coded failure of ours, wherever it is in the chain of causes. */
const codedError = (error: unknown): CodedError | undefined => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!(cause instanceof ApplicationFailure)) continue;
    const { type } = cause;
    if (typeof type !== 'string' || !isErrorCode(type)) continue;
    const detail: unknown = cause.details?.[0];
    const known = { code: type, message: cause.message };
    return isRecord(detail) ? { ...known, ...adviceOf(detail) } : known;
  }
  return undefined;
};

const adviceOf = (detail: Record<string, unknown>): Pick<CodedError, 'next' | 'subject'> => ({
  ...(typeof detail['next'] === 'string' ? { next: detail['next'] } : {}),
  ...(typeof detail['subject'] === 'string' ? { subject: detail['subject'] } : {}),
});

/** A run that ended without a result: cancelled, terminated, or failed in a way that has no code. */
const closedRunError = (error: unknown, { run, useCase }: CallContext): CodedError | undefined => {
  const subject = run === undefined ? {} : { subject: run };
  const name = run ?? 'The run';
  if (error instanceof WorkflowUpdateFailedError) {
    return { code: 'MESSAGE_REFUSED', message: messageOf(error.cause ?? error), ...subject };
  }
  if (error instanceof ActivityExecutionFailedError) return activityError(error);
  if (!(error instanceof WorkflowFailedError)) return undefined;
  if (error.cause instanceof TerminatedFailure) {
    return { code: 'COMPENSATION_FAILED', ...afterTermination(name, useCase), ...subject };
  }
  if (error.cause instanceof CancelledFailure) {
    return { code: 'ABORTED', message: `${name} was cancelled.`, ...subject };
  }
  return { code: 'INTERNAL', message: `${name} failed: ${messageOf(error.cause)}`, ...subject };
};

/** What was left as it is, and what puts it right. */
const afterTermination = (name: string, useCase: string | undefined) =>
  useCase === manageAccess.workflow
    ? {
        message: `${name} was terminated: nothing was put back. Roles that were given for a time end all the same; targets are as the last step left them.`,
        next: 'Read what everybody has with `holdfast access review`, then put it right with `holdfast access change`: each change brings the targets to what the roles say.',
      }
    : {
        message: `${name} was terminated: nothing was undone, and its objects are as the last step left them.`,
        next: 'Choose with `holdfast lock NAME -e ENV --restore`, `--adopt` or `--release`.',
      };

const activityError = (error: ActivityExecutionFailedError): CodedError => {
  if (error.cause instanceof TimeoutFailure) {
    return {
      code: 'TEMPORAL_UNREACHABLE',
      message: `No worker answered in time (${error.activityId}). Nothing was changed.`,
      next: 'Start a worker with `holdfast worker`, or everything with `npm start`.',
    };
  }
  return { code: 'INTERNAL', message: messageOf(error.cause ?? error) };
};

const serverError = (
  error: unknown,
  { run, address, asksWorker }: CallContext,
): CodedError | undefined => {
  if (error instanceof WorkflowNotFoundError) {
    const id = run ?? error.workflowId;
    return { code: 'RUN_NOT_FOUND', message: `There is no run ${id}.`, subject: id };
  }
  if (error instanceof QueryRejectedError || error instanceof QueryNotRegisteredError) {
    return { code: 'MESSAGE_REFUSED', message: `${run ?? 'The run'} does not answer queries now.` };
  }
  if (error instanceof NamespaceNotFoundError) {
    return {
      code: 'CONFIGURATION_INVALID',
      message: `The Temporal server has no namespace ${error.namespace}.`,
      next: 'Create the namespace, or set TEMPORAL_NAMESPACE to one that is there.',
    };
  }
  if (isUnanswered(error, asksWorker === true)) return noWorkerError(run);
  return grpcError(error, address);
};

const isUnanswered = (error: unknown, asksWorker: boolean): boolean => {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const service = grpcErrorIn(error);
  return asksWorker && service !== undefined && noWorkerStatus.has(service.code);
};

const grpcErrorIn = (error: unknown) =>
  [error, error instanceof Error ? error.cause : undefined].find(isGrpcServiceError);

const noWorkerError = (run: string | undefined): CodedError => ({
  code: 'TEMPORAL_UNREACHABLE',
  message: `No worker answered for ${run ?? 'the run'} in time; a message that was sent may still be taken later.`,
  next: 'Start a worker with `holdfast worker`, or everything with `npm start`; `holdfast sandbox doctor` lists runs that no worker polls for.',
});

const grpcError = (error: unknown, address: string | undefined): CodedError | undefined => {
  const service = grpcErrorIn(error);
  const server = `The Temporal server${address === undefined ? '' : ` at ${address}`}`;
  if (service === undefined) {
    const isService = error instanceof ServiceError;
    return isService ? { code: 'INTERNAL', message: messageOf(error) } : undefined;
  }
  if (unreachableStatus.has(service.code)) {
    return {
      code: 'TEMPORAL_UNREACHABLE',
      message: `${server} does not answer: ${service.details}`,
    };
  }
  if (unauthenticatedStatus.has(service.code)) {
    return {
      code: 'PERMISSION_MISSING',
      message: `${server} refuses the credentials: ${service.details}`,
      next: 'Check the API key or certificates of the Temporal profile in use.',
    };
  }
  if (invalidStatus.has(service.code)) {
    return {
      code: 'CONFIGURATION_INVALID',
      message: `${server} refuses the request: ${service.details}`,
      next: 'Compare its search attributes and settings with temporal-dev.yaml.',
    };
  }
  return { code: 'INTERNAL', message: `${server} answered: ${service.details}` };
};

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
