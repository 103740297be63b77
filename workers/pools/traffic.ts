import { createClusterIpLookup, createEnvironments } from '../../activities/kubernetes/index.ts';
import {
  createMeasurements,
  createPrometheusAlertRules,
  createPrometheusMetrics,
} from '../../activities/metrics/index.ts';
import { createProbes } from '../../activities/traffic/index.ts';
import { activityTypes, type PoolContext, type PoolSetup } from './pool-setup.ts';

/** Sends requests through the real entry of services, from where this worker runs. */
export const trafficPool = ({ config }: PoolContext): PoolSetup => {
  const { environments, environmentsDirectory: directory } = config;
  // Capabilities do not know each other; the prober gets its one look at the cluster from here.
  const resolveClusterIp = createClusterIpLookup(
    createEnvironments({ file: environments, directory }),
  );
  const metrics = createPrometheusMetrics({ environments, directory });
  return {
    activities: {
      ...activityTypes('probes', createProbes({ environments, resolveClusterIp })),
      ...activityTypes('metrics', metrics),
      ...activityTypes('measurements', createMeasurements({ source: metrics })),
      ...activityTypes('alertRules', createPrometheusAlertRules({ environments, directory })),
    },
    // One watch sends up to 500 requests a second; many at once would measure the worker. Metrics
    // are measured beside a watch and must not wait for it; a budget is counted beside each release.
    maxConcurrentActivityTaskExecutions: 40,
  };
};
