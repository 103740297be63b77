export { createFilesystemBlobStore } from './filesystem-blob-store.ts';
