import path from 'node:path';

/** Where the key of the heads is unless another place is named: beside the blobs, not in the database. */
export const auditKeyIn = (blobsDirectory: string): string =>
  path.join(blobsDirectory, 'audit', 'key');

/** Entries that wait for the database. */
export const waitingEntriesIn = (blobsDirectory: string): string =>
  path.join(blobsDirectory, 'audit', 'waiting');
