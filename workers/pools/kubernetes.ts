import {
  createEnvironments,
  createKubernetesActivities,
} from '../../activities/kubernetes/index.ts';
import { createFilesystemBlobStore } from '../../activities/store/index.ts';
import type { PoolContext, PoolSetup } from './pool-setup.ts';

/** Changes and watches the clusters that environments.yaml names. */
export const kubernetesPool = ({ config }: PoolContext): PoolSetup => {
  const { blobsDirectory, blobKeyFile, environments, environmentsDirectory } = config;
  if (blobsDirectory === undefined) throw new Error('the pool kubernetes has no blob store');
  return {
    activities: createKubernetesActivities({
      environments: createEnvironments({ file: environments, directory: environmentsDirectory }),
      blobs: createFilesystemBlobStore({ directory: blobsDirectory, keyFile: blobKeyFile }),
    }),
    // Most of them wait for pods; a wait costs one watch.
    maxConcurrentActivityTaskExecutions: 100,
  };
};
