import type { SentApproval, WantedApproval } from './approval.ts';

/**
 * What a run shows with each write, so that whoever carries it out can see for themselves that it
 * was asked for and approved, and need not believe the run.
 */
export interface Warrant {
  /** The input of the release as it was sent, with the proof of who asked. */
  request: unknown;
  startedAtMs: number;
  /** Those that the run took for the plan that it writes. */
  approvals: readonly SentApproval[];
}

/** What is about to be written, as the plan and the server say it, not the run. */
export interface WarrantedWrite {
  workflowId: string;
  runId: string;
  environment: string;
  service: string;
  release: string;
  planDigest: string;
}

/** The part of a release's input that a write has to fit. */
export interface WarrantedRelease {
  environment: string;
  service: string;
  release: string;
  approvals: readonly WantedApproval[];
}

/** Why the write is not what was asked for, as the end of a sentence; undefined if it is. */
export const otherRelease = (
  asked: WarrantedRelease,
  write: WarrantedWrite,
): string | undefined => {
  const isSame =
    asked.environment === write.environment &&
    asked.service === write.service &&
    asked.release === write.release;
  return isSame
    ? undefined
    : `asked for was ${asked.service} ${asked.release} in ${asked.environment}`;
};
