import { errors, type CodedError, type ErrorCode } from '../contracts/errors.ts';

/**
 * The one error that the client throws.
 *
 * @example
 * ```ts
 * import { createOpsClient, OpsError } from 'holdfast';
 *
 * await using ops = await createOpsClient();
 * try {
 *   const run = await ops.delivery.deployService.getHandle('deploy:staging:shop:2.4.1');
 *   await run.result();
 * } catch (error) {
 *   if (error instanceof OpsError && !error.retryable) console.error(error.code, error.next);
 * }
 * ```
 */
export class OpsError extends Error {
  /** One of the codes of `docs/reference/errors.md`. */
  readonly code: ErrorCode;
  /** May the same call succeed later without anyone changing anything? */
  readonly retryable: boolean;
  /** What to do or run next. */
  readonly next: string;
  /** The field, object or run that the error is about. */
  readonly subject: string | undefined;

  constructor(error: CodedError, options: { cause?: unknown } = {}) {
    super(error.message, options);
    this.name = 'OpsError';
    this.code = error.code;
    this.retryable = errors[error.code].retryable;
    this.next = error.next ?? errors[error.code].next;
    this.subject = error.subject;
  }

  /** Exit code of the command line for this error. */
  get exitCode(): number {
    return errors[this.code].exitCode;
  }

  toJSON(): CodedError & { retryable: boolean } {
    return {
      code: this.code,
      message: this.message,
      next: this.next,
      retryable: this.retryable,
      ...(this.subject === undefined ? {} : { subject: this.subject }),
    };
  }
}
