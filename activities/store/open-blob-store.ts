import { readExistingKey } from './blob-key.ts';
import { createKeySealer } from './blob-sealer.ts';
import type { BlobSettings } from './blob-settings.ts';
import { createFilesystemBlobStore } from './filesystem-blob-store.ts';
import type { BlobStore } from './port.ts';
import { createBlobBucket } from './s3-blob-store.ts';
import { createSealedBlobStore } from './sealed-blob-store.ts';

/** The blob store of the settings. Nothing is asked before the first blob. */
export const openBlobStore = (settings: BlobSettings): BlobStore => {
  if ('credentials' in settings) {
    const { location, credentials, keyFile } = settings;
    const readKey = async (): Promise<Buffer> => readExistingKey(keyFile);
    const sealer = createKeySealer({ readKey, names: 'keyed' });
    return createSealedBlobStore({ place: createBlobBucket({ location, credentials }), sealer });
  }
  const { location, keyFile } = settings;
  return createFilesystemBlobStore({ directory: location.directory, keyFile });
};
