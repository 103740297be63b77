import { describeCandidates } from '../../conformance/candidates.ts';
import type { ReleaseSite } from '../../conformance/release-driver.ts';
import { describeReleases } from '../../conformance/releases.ts';
import { createInMemoryCluster } from '../../fakes/in-memory-cluster.ts';

const openSite = (): Promise<ReleaseSite> => {
  const cluster = createInMemoryCluster();
  return Promise.resolve({
    releases: cluster.releases,
    workloads: cluster.workloads,
    routes: cluster.routes,
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
    setGateway: (isThere) => {
      cluster.knobs.hasGateway = isThere;
      return Promise.resolve();
    },
  });
};

describeReleases('the cluster in memory', openSite);
describeCandidates('the cluster in memory', openSite);
