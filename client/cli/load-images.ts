import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { writeImageArchive } from '../../sandbox/images/oci-writer.ts';
import { sampleImages } from '../../sandbox/images/shop-images.ts';
import { buildShop } from '../../sandbox/shop/build-shop.ts';
import type { OnProgress } from '../../sandbox/index.ts';
import { OpsError } from '../ops-error.ts';

const run = promisify(execFile);

/** A local cluster that takes images from a file. */
interface LocalCluster {
  tool: string;
  loadArguments: (archive: string) => string[];
}

/** kind and k3d name their contexts after themselves and the cluster. */
export const localClusterOf = (context: string): LocalCluster | undefined => {
  const [, tool, cluster] = /^(kind|k3d)-(.+)$/.exec(context) ?? [];
  if (tool === undefined || cluster === undefined) return undefined;
  return {
    tool,
    loadArguments: (archive) =>
      tool === 'kind'
        ? ['load', 'image-archive', archive, '--name', cluster]
        : ['image', 'import', archive, '--cluster', cluster],
  };
};

/**
 * Gives the sample images to a cluster of kind or k3d.
 *
 * @throws INVALID_INPUT for any other cluster: it has to pull them from somewhere
 */
export const loadSampleImages = async (context: string, onProgress: OnProgress): Promise<void> => {
  const cluster = localClusterOf(context);
  if (cluster === undefined) throw needsRepository(context);
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const { tar } = writeImageArchive(sampleImages(await buildShop(onProgress), architecture));
  const directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-images-'));
  const archive = path.join(directory, 'shop.tar');
  try {
    await writeFile(archive, tar);
    await run(cluster.tool, cluster.loadArguments(archive));
  } catch (cause) {
    throw notLoaded(cluster.tool, cause);
  } finally {
    await rm(directory, { recursive: true });
  }
};

const needsRepository = (context: string): OpsError =>
  new OpsError({
    code: 'INVALID_INPUT',
    message: `The context ${context} is not of kind or k3d, so the images of the shop cannot be loaded into it. Nothing was started.`,
    next: 'Push the images to a repository that the cluster can pull from, and name it with --image.',
    subject: '--image',
  });

const notLoaded = (tool: string, cause: unknown): OpsError =>
  new OpsError(
    {
      code: 'IMAGE_UNAVAILABLE',
      message: `${tool} did not load the images: ${cause instanceof Error ? cause.message : String(cause)}. Nothing was deployed.`,
      next: `Check that ${tool} is on PATH and the cluster runs, or name a repository with --image.`,
    },
    { cause },
  );
