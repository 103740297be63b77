import { createEnvironments } from '../../activities/kubernetes/environments.ts';
import { createProbes } from '../../activities/traffic/index.ts';
import { clusterIpFrom } from './cluster-ip.ts';
import { activityTypes, type PoolContext, type PoolSetup } from './pool-setup.ts';

/** Sends requests through the real entry of services, from where this worker runs. */
export const trafficPool = ({ config }: PoolContext): PoolSetup => {
  const { environments, environmentsDirectory: directory } = config;
  const resolveClusterIp = clusterIpFrom(createEnvironments({ file: environments, directory }));
  return {
    activities: activityTypes('probes', createProbes({ environments, resolveClusterIp })),
    // One watch sends up to 500 requests a second; many at once would measure the worker.
    maxConcurrentActivityTaskExecutions: 10,
  };
};
