import { isRecord, listAt, recordAt, stringAt } from '../../domain/delivery/canonical-json.ts';

/** One reason inside a refusal, e.g. `{field: 'spec.selector', message: 'field is immutable'}`. */
export interface ApiErrorCause {
  field: string;
  message: string;
}

/** The API server answered with something other than success. */
export class ApiError extends Error {
  readonly status: number;
  /** Machine-readable reason, e.g. `AlreadyExists`, `Conflict`, `Invalid`. */
  readonly reason: string;
  /** Resource that the answer is about, e.g. `namespaces`; empty where the server names none. */
  readonly resource: string;
  readonly causes: readonly ApiErrorCause[];
  readonly retryAfterMs: number | undefined;
  readonly request: string;

  constructor(answer: {
    status: number;
    body: unknown;
    retryAfterMs: number | undefined;
    request: string;
  }) {
    const text = stringAt(answer.body, 'message');
    super(text ?? `the API server answered ${String(answer.status)}`);
    this.name = 'ApiError';
    this.status = answer.status;
    this.reason = stringAt(answer.body, 'reason') ?? '';
    this.resource = stringAt(answer.body, 'details', 'kind') ?? '';
    this.causes = listAt(answer.body, 'details', 'causes')
      .filter(isRecord)
      .map((cause) => ({
        field: stringAt(cause, 'field') ?? '',
        message: stringAt(cause, 'message') ?? '',
      }));
    this.retryAfterMs = answer.retryAfterMs ?? retryAfterOf(answer.body);
    this.request = answer.request;
  }
}

const retryAfterOf = (body: unknown): number | undefined => {
  const seconds = recordAt(body, 'details')['retryAfterSeconds'];
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined;
};

/** The request did not reach the API server, or its answer did not reach us. */
export class ApiUnreachable extends Error {
  constructor(request: string, cause: unknown) {
    super(`${request}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'ApiUnreachable';
  }
}

export const isNotFound = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 404;

/** The cluster has no such thing, or does not let us see it. */
export const isHidden = (error: unknown): boolean =>
  isNotFound(error) || (error instanceof ApiError && error.status === 403);

/** An object of the name is there already. */
export const isAlreadyThere = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 409 && error.reason === 'AlreadyExists';

/**
 * A `test` of our patch failed, or a precondition: the object is not as we read it. A failed
 * `test` is answered with 422 and names neither object nor cause, unlike a 422 by validation
 * (tried on Kubernetes 1.36).
 */
export const isPreconditionFailure = (error: unknown): boolean =>
  error instanceof ApiError &&
  ((error.status === 409 && error.reason === 'Conflict') ||
    (error.status === 422 && error.resource === '' && error.causes.length === 0));

/** The object itself is refused, with the fields that are wrong. */
export const isInvalid = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 422 && error.reason === 'Invalid';
