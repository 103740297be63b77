export { createFilesystemBlobStore } from './filesystem-blob-store.ts';
export { createFilesystemReleaseRecords } from './filesystem-release-records.ts';
