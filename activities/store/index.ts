export {
  createFilesystemBlobStore,
  type FilesystemBlobStoreOptions,
} from './filesystem-blob-store.ts';
