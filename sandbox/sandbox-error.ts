/** What goes wrong in the sandbox, told so that the reader knows what to do next. */
export type SandboxErrorCode =
  | 'SANDBOX_CONFIG_INVALID'
  | 'SANDBOX_STATE_UNUSABLE'
  | 'SANDBOX_LOCKED'
  | 'SANDBOX_NOT_RUNNING'
  | 'SANDBOX_LEVEL_UNAVAILABLE'
  | 'SANDBOX_OTHER_KIND'
  | 'SANDBOX_CHANGES_REFUSED'
  | 'SANDBOX_TOOL_MISSING'
  | 'SANDBOX_TOOL_INSTALL_FAILED'
  | 'SANDBOX_PORT_TAKEN'
  | 'SANDBOX_START_FAILED'
  | 'SANDBOX_STOP_FAILED';

export interface SandboxFailure {
  readonly code: SandboxErrorCode;
  /** What happened, and what was done about it. */
  readonly message: string;
  /** What to do or run next. */
  readonly next: string;
  readonly cause?: unknown;
}

export class SandboxError extends Error {
  override readonly name = 'SandboxError';
  readonly code: SandboxErrorCode;
  readonly next: string;

  constructor(failure: SandboxFailure) {
    super(failure.message, failure.cause === undefined ? {} : { cause: failure.cause });
    this.code = failure.code;
    this.next = failure.next;
  }
}

/**
 * The `code` of a system error such as ENOENT, or undefined. Looks at the shape,
 * because in a test runner's sandbox the system's errors are of another realm's class.
 */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
