import path from 'node:path';
import { readExistingKey } from './blob-key.ts';
import { createKeySealer, type BlobSealer } from './blob-sealer.ts';
import type { BlobSettings } from './blob-settings.ts';
import { createEnvelopeSealer } from './envelope-sealer.ts';
import { createBlobDirectory, createFilesystemBlobStore } from './filesystem-blob-store.ts';
import type { BlobStore, DataKeyWrapper } from './port.ts';
import { createBlobBucket } from './s3-blob-store.ts';
import { createSealedBlobStore, type BlobPlace } from './sealed-blob-store.ts';

/**
 * The blob store of the settings. With a key management every blob has a data key of its own, and
 * what was written before with the key of a file is still read. Nothing is asked before the first
 * blob.
 */
export const openBlobStore = (settings: BlobSettings, keys?: DataKeyWrapper): BlobStore => {
  if ('credentials' in settings) {
    const { location, credentials, keyFile } = settings;
    const place = createBlobBucket({ location, credentials });
    const byFile = keyFile === undefined ? undefined : sealerBy(keyFile, 'keyed');
    return storeIn(place, { keys, byFile });
  }
  const { directory } = settings.location;
  if (keys === undefined)
    return createFilesystemBlobStore({ directory, keyFile: settings.keyFile });
  const byFile = sealerBy(settings.keyFile ?? path.join(directory, 'key'), 'digest');
  return storeIn(createBlobDirectory(directory), { keys, byFile });
};

const sealerBy = (keyFile: string, names: 'digest' | 'keyed'): BlobSealer =>
  createKeySealer({ readKey: async () => readExistingKey(keyFile), names });

const storeIn = (
  place: BlobPlace,
  { keys, byFile }: { keys: DataKeyWrapper | undefined; byFile: BlobSealer | undefined },
): BlobStore => {
  if (keys !== undefined) {
    const sealer = createEnvelopeSealer({ keys, place });
    return createSealedBlobStore({ place, sealer, earlier: byFile });
  }
  if (byFile === undefined) throw new Error('a bucket has neither a key file nor a key management');
  return createSealedBlobStore({ place, sealer: byFile });
};
