import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Info } from '@temporalio/activity';
import { createProbes } from '../../../activities/traffic/index.ts';
import type {
  ProbeTarget,
  SmokeCheck,
  SmokeOutcome,
  WatchOutcome,
  WatchRequest,
} from '../../../activities/traffic/port.ts';
import type { EnvironmentMapping } from '../../../contracts/shared/environments-file.ts';

export interface ProbeRun {
  traffic: EnvironmentMapping['traffic'];
  preview?: EnvironmentMapping['preview'];
  /** ClusterIPs by Service name. */
  clusterIps?: Record<string, string>;
  services?: ProbeTarget['services'];
  entry?: 'preview';
  versionHeader?: string;
  pinnedBy?: { name: string; value: string };
  environment?: string;
  info?: Partial<Info>;
  onHeartbeat?: (details: unknown) => void;
}

export type WatchSettings = Omit<WatchRequest, keyof ProbeTarget>;

/** The probes as a worker runs them, in an activity of its own. */
export const probeRun = (run: ProbeRun) => {
  const activity = new MockActivityEnvironment(run.info, { logger: new DefaultLogger('ERROR') });
  if (run.onHeartbeat !== undefined) activity.on('heartbeat', run.onHeartbeat);
  const probes = createProbes({
    environments: {
      environments: {
        staging: { context: 'c', namespace: 'n', traffic: run.traffic, preview: run.preview },
      },
    },
    resolveClusterIp: ({ service }) => Promise.resolve(run.clusterIps?.[service]),
  });
  const target: ProbeTarget = {
    environment: run.environment ?? 'staging',
    service: 'shop',
    services: run.services ?? [],
    ...(run.entry === undefined ? {} : { entry: run.entry }),
    ...(run.versionHeader === undefined ? {} : { versionHeader: run.versionHeader }),
    ...(run.pinnedBy === undefined ? {} : { pinnedBy: run.pinnedBy }),
  };
  return {
    cancel: () => activity.cancel('CANCELLED'),
    smoke: (checks: SmokeCheck[], deadlineMs: number): Promise<SmokeOutcome> =>
      activity.run(() => probes.smoke({ ...target, checks, deadlineMs })),
    watch: (settings: Partial<WatchSettings>): Promise<WatchOutcome> =>
      activity.run(() => probes.watch({ ...target, ...usualWindow, ...settings })),
  };
};

const usualWindow: WatchSettings = {
  path: '/',
  windowMs: 500,
  requestsPerSecond: 100,
  stopAtFailures: 1_000,
};
