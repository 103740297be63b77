import { describeReleases } from '../../conformance/releases.ts';
import { createInMemoryCluster } from '../../fakes/in-memory-cluster.ts';

describeReleases('the cluster in memory', () => {
  const cluster = createInMemoryCluster();
  return Promise.resolve({
    releases: cluster.releases,
    workloads: cluster.workloads,
    environment: 'staging',
    store: (objects) => cluster.store(objects),
    get: (ref) => Promise.resolve(cluster.get(ref)),
    edit: (ref, change) => {
      cluster.edit(ref, change);
      return Promise.resolve();
    },
    add: (object) => {
      cluster.add(object);
      return Promise.resolve();
    },
  });
});
