import { codedFailure } from '../coded-failure.ts';
import type { WatchRequest } from './port.ts';

/** Longest window of one attempt: what was counted is told with each heartbeat, and to the run here. */
const maxWindowMs = 1_800_000;
/** More of a version header than this is not read, because heartbeats carry it. */
export const maxVersionChars = 100;

/** Throws where a window could not be counted as it was asked for. */
export const refuseBadWindow = ({
  windowMs,
  versionHeader,
  stopAtFailuresOf,
}: WatchRequest): void => {
  if (windowMs > maxWindowMs) {
    throw refused('windowMs', `must be at most ${String(maxWindowMs)}, got ${String(windowMs)}`);
  }
  if (stopAtFailuresOf === undefined) return;
  // A limit that can never be reached would look like a version that never fails.
  if (versionHeader === undefined) {
    throw refused('stopAtFailuresOf', 'needs versionHeader, by which the version is told');
  }
  if (stopAtFailuresOf.version.length > maxVersionChars) {
    const problem = `must name a version of at most ${String(maxVersionChars)} characters`;
    throw refused('stopAtFailuresOf', problem);
  }
};

const refused = (subject: string, problem: string): Error =>
  codedFailure({
    code: 'INVALID_INPUT',
    message: `${subject}: ${problem}; no request was sent.`,
    subject,
  });
