import { ApplicationFailure } from '@temporalio/common';
import type { ErrorCode } from '../../contracts/errors.ts';
import { codedFailure } from '../coded-failure.ts';

export const unreadableBlob = (digest: string, reason: string, cause?: unknown): Error =>
  codedFailure(
    { code: 'BLOB_UNREADABLE', message: `Blob ${digest} ${reason}.`, subject: digest },
    { cause },
  );

/** Of the system, when there is no room or no right to use it. */
const bySystemCode: Readonly<Record<string, { code: ErrorCode; what: string }>> = {
  ENOSPC: { code: 'BLOBS_FULL', what: 'has no room left' },
  EDQUOT: { code: 'BLOBS_FULL', what: 'has reached its quota' },
  EACCES: { code: 'BLOBS_ACCESS_DENIED', what: 'may not be used by this user' },
  EPERM: { code: 'BLOBS_ACCESS_DENIED', what: 'may not be used by this user' },
  EROFS: { code: 'BLOBS_ACCESS_DENIED', what: 'is read-only' },
};

/** What the file system said about a blob directory, as one of our errors; others as they were. */
export const toDirectoryFailure = (error: unknown, directory: string): unknown => {
  if (error instanceof ApplicationFailure) return error;
  const { code } = Object(error) as { code?: unknown };
  const known = bySystemCode[String(code)];
  if (known === undefined) return error;
  return codedFailure(
    {
      code: known.code,
      message: `The blob store ${directory} ${known.what}; the blob was not stored, and what is there was left as it is.`,
      subject: directory,
    },
    { cause: error },
  );
};
