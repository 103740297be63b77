/** Puts the pause image and the versions of the sample service onto the node. */
import type { OnProgress } from '../progress.ts';
import { buildShop } from '../shop/build-shop.ts';
import { importImages } from './import.ts';
import { writeImageArchive } from './oci-writer.ts';
import type { WrittenImage } from './oci-writer.ts';
import { sampleImages } from './shop-images.ts';

/** Builds what is missing and imports the images; answers their names and digests. */
export async function importSampleImages(
  stateDirectory: string,
  onProgress: OnProgress,
): Promise<readonly WrittenImage[]> {
  const binary = await buildShop(onProgress);
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const archive = writeImageArchive(sampleImages(binary, architecture));
  await importImages(stateDirectory, archive);
  return archive.images;
}
