import { errors, type ErrorCode } from '../contracts/errors.ts';

/** Why a worker process does not start. */
export class StartError extends Error {
  readonly code: ErrorCode;
  /** All settings that are wrong, each as `NAME: reason`. */
  readonly problems: readonly string[];

  constructor(code: ErrorCode, what: string, problems: readonly string[] = []) {
    const list = problems.map((problem) => `\n  ${problem}`).join('');
    super(`${what}${list}\n${errors[code].next}`);
    this.name = 'StartError';
    this.code = code;
    this.problems = problems;
  }
}
