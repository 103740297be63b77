import { errors, type ErrorCode } from '../contracts/errors.ts';

/** Why the codec endpoint does not answer a request. */
export class CodecRefusal extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = 'CodecRefusal';
    this.code = code;
  }

  get status(): number {
    return errors[this.code].httpStatus;
  }

  /** Not JSON: the Temporal UI would take any JSON for decoded payloads. */
  get text(): string {
    return `${this.code}: ${this.message}\n${errors[this.code].next}\n`;
  }
}
