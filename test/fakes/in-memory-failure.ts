import { createHash } from 'node:crypto';
import { codedFailure } from '../../activities/coded-failure.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { InMemoryDeps } from './in-memory-cluster.ts';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const failure = (code: ErrorCode, message: string, subject?: string): Error =>
  codedFailure({ code, message, ...(subject === undefined ? {} : { subject }) });

/** Fails as the knob of the verb says, and counts it down. */
export const failIfAsked = (
  deps: InMemoryDeps,
  verb: keyof InMemoryDeps['knobs']['fail'],
): void => {
  const knob = deps.knobs.fail[verb];
  if (knob === undefined || knob.times <= 0) return;
  knob.times -= 1;
  throw failure(knob.code ?? 'CLUSTER_UNREACHABLE', `the in-memory cluster fails ${verb} as asked`);
};
