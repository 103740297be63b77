import { openKeyManagement } from '../../activities/encryption/index.ts';
import {
  createEnvironments,
  createKubernetesActivities,
} from '../../activities/kubernetes/index.ts';
import { openBlobStore } from '../../activities/store/index.ts';
import type { EndedRelease } from '../../domain/delivery/ended-release.ts';
import { auditedReleaseRecords } from '../audited-ports.ts';
import { accessActivities } from './access-activities.ts';
import { activityTypes, type PoolContext, type PoolSetup } from './pool-setup.ts';

/** Changes and watches the clusters that environments.yaml names. */
export const kubernetesPool = async (context: PoolContext): Promise<PoolSetup> => {
  const { config, releases, audit } = context;
  const { blobs, blobKeys, environments, environmentsDirectory } = config;
  if (blobs === undefined || releases === undefined) {
    throw new Error('the pool kubernetes has no blob store');
  }
  const records =
    audit === undefined ? releases.records : auditedReleaseRecords(releases.records, audit);
  const clusters = createEnvironments({ file: environments, directory: environmentsDirectory });
  return {
    activities: {
      ...createKubernetesActivities({
        environments: clusters,
        blobs: openBlobStore(
          blobs,
          blobKeys === undefined ? undefined : openKeyManagement(blobKeys),
        ),
      }),
      ...activityTypes('releaseRecords', { add: (record: EndedRelease) => records.add(record) }),
      ...(await accessActivities(context, clusters)),
    },
    // Most of them wait for pods; a wait costs one watch.
    maxConcurrentActivityTaskExecutions: 100,
  };
};
