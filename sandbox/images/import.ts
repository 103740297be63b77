/** Gives the node images that no registry has. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTAINERD_SOCKET, nodePaths } from '../node/node-layout.ts';
import { run } from '../node/machine-command.ts';
import type { ImageArchive } from './oci-writer.ts';

/** The images are there for pods of the node, under the names they have in the archive. */
export async function importImages(stateDirectory: string, archive: ImageArchive): Promise<void> {
  const { directory } = nodePaths(stateDirectory);
  await mkdir(directory, { recursive: true });
  const file = join(directory, `images-${process.pid}.tar`);
  await writeFile(file, archive.tar);
  try {
    await run('ctr', [
      '--address',
      CONTAINERD_SOCKET,
      '--namespace',
      'k8s.io',
      'images',
      'import',
      file,
    ]);
  } finally {
    await rm(file);
  }
}
