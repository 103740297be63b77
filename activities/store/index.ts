export { createFilesystemBlobStore } from './filesystem-blob-store.ts';
export { createFilesystemReleaseRecords } from './filesystem-release-records.ts';
export { blobSettingsOf } from './blob-settings.ts';
export { openBlobStore } from './open-blob-store.ts';
