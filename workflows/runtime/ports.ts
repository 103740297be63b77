import {
  ActivityCancellationType,
  scheduleActivity,
  scheduleLocalActivity,
  workflowInfo,
} from '@temporalio/workflow';
import type { ActivityOptions, RetryPolicy } from '@temporalio/workflow';
import type { Contracts, TimeoutProfile } from '../../activities/contracts/port.ts';
import type { Locks } from '../../activities/coordination/port.ts';
import type { AccessChanges, AccessTargets, Identity } from '../../activities/identity/port.ts';
import type { Checks, Releases, Routes, Workloads } from '../../activities/kubernetes/port.ts';
import type { AlertRules, Measurements, MetricsSource } from '../../activities/metrics/port.ts';
import type { Notifications } from '../../activities/notify/port.ts';
import type { ReleaseRecords } from '../../activities/store/port.ts';
import type { Probes } from '../../activities/traffic/port.ts';
import { nonRetryableCodes } from '../../contracts/errors.ts';
import { siblingQueue } from '../../domain/shared/task-queue.ts';
import { inTurn } from './local-turns.ts';
import { activityTable, localTiming, timingOf } from './timeouts.ts';
import type { ActivityName, Timing } from './timeouts.ts';

/** What a caller may say about one call. */
export interface CallOptions {
  /** One line for the Temporal UI. */
  summary: string;
  /** Longest time that the request itself allows; waits get it plus a grace. */
  waitMs?: number;
  /** Instead of the table's limit for all attempts together. */
  scheduleToCloseMs?: number;
}

/** A port as a workflow calls it: the verb's request, and how the call is to be made. */
export type CalledPort<Port> = {
  [Name in keyof Port]: Port[Name] extends (request: infer Request) => Promise<infer Answer>
    ? (request: Request, options: CallOptions) => Promise<Answer>
    : never;
};

export interface Ports {
  releases: CalledPort<Releases>;
  workloads: CalledPort<Workloads>;
  routes: CalledPort<Routes>;
  checks: CalledPort<Checks>;
  probes: CalledPort<Probes>;
  metrics: CalledPort<MetricsSource>;
  measurements: CalledPort<Measurements>;
  alertRules: CalledPort<AlertRules>;
  releaseRecords: CalledPort<Pick<ReleaseRecords, 'add'>>;
  notifications: CalledPort<Notifications>;
  accessChanges: CalledPort<AccessChanges>;
  accessTargets: CalledPort<AccessTargets>;
  locks: CalledPort<Pick<Locks, 'request'>>;
  /** Local activities. */
  identity: CalledPort<Identity>;
  holders: CalledPort<Pick<Locks, 'holderStatus'>>;
}

/** All ports with the timeouts of one profile. */
export const portsOf = (profile: TimeoutProfile): Ports => {
  const remote = (name: ActivityName) => callRemote(name, profile);
  const local = (name: string) => callLocal(name, profile);
  return {
    ...kubernetesPorts(remote),
    probes: {
      smoke: remote('probes.smoke'),
      reach: remote('probes.reach'),
      watch: remote('probes.watch'),
    },
    metrics: { query: remote('metrics.query'), queryRange: remote('metrics.queryRange') },
    measurements: {
      measure: remote('measurements.measure'),
      check: remote('measurements.check'),
      watchCounts: remote('measurements.watchCounts'),
    },
    alertRules: {
      check: remote('alertRules.check'),
      capture: remote('alertRules.capture'),
      write: remote('alertRules.write'),
      awaitLoaded: remote('alertRules.awaitLoaded'),
      putBack: remote('alertRules.putBack'),
    },
    releaseRecords: { add: remote('releaseRecords.add') },
    notifications: { send: remote('notifications.send') },
    accessChanges: {
      plan: remote('accessChanges.plan'),
      write: remote('accessChanges.write'),
      conclude: remote('accessChanges.conclude'),
    },
    accessTargets: { reconcile: remote('accessTargets.reconcile') },
    locks: { request: remote('locks.request') },
    identity: { verify: local('identity.verify') },
    holders: { holderStatus: local('locks.holderStatus') },
  };
};

type KubernetesPorts = Pick<Ports, 'releases' | 'workloads' | 'routes' | 'checks'>;

function kubernetesPorts(remote: (name: ActivityName) => AnyCall): KubernetesPorts {
  return {
    releases: {
      plan: remote('releases.plan'),
      capture: remote('releases.capture'),
      write: remote('releases.write'),
      revert: remote('releases.revert'),
      prove: remote('releases.prove'),
      prune: remote('releases.prune'),
      highestFence: remote('releases.highestFence'),
    },
    workloads: {
      awaitRollout: remote('workloads.awaitRollout'),
      awaitEndpoints: remote('workloads.awaitEndpoints'),
      setPaused: remote('workloads.setPaused'),
      scale: remote('workloads.scale'),
      keepLogs: remote('workloads.keepLogs'),
      retire: remote('workloads.retire'),
    },
    routes: {
      setWeight: remote('routes.setWeight'),
      awaitTaken: remote('routes.awaitTaken'),
    },
    checks: {
      validate: remote('checks.validate'),
      exec: remote('checks.exec'),
      runJob: remote('checks.runJob'),
      deleteJob: remote('checks.deleteJob'),
    },
  };
}

/** The first activity of every run; it tells which profile the others use. */
export const contracts: CalledPort<Contracts> = { parse: callLocal('contracts.parse', 'standard') };

// The wire name is the only link between the typed port and the activity, so the call
// itself is untyped; `Ports` is what gives each verb its request and answer.
type AnyCall = (request: unknown, options: CallOptions) => Promise<never>;

function callRemote(name: ActivityName, profile: TimeoutProfile): AnyCall {
  return (request, options) =>
    scheduleActivity<never>(name, [request], remoteOptions(name, profile, options));
}

function callLocal(name: string, profile: TimeoutProfile): AnyCall {
  const timing = localTiming(profile);
  return (request, { summary, scheduleToCloseMs }) =>
    inTurn(() =>
      scheduleLocalActivity<never>(name, [request], {
        startToCloseTimeout: timing.startToCloseMs,
        ...(scheduleToCloseMs === undefined ? {} : { scheduleToCloseTimeout: scheduleToCloseMs }),
        retry: retryOf(timing),
        cancellationType: ActivityCancellationType.TRY_CANCEL,
        summary,
      }),
    );
}

const remoteOptions = (
  name: ActivityName,
  profile: TimeoutProfile,
  call: CallOptions,
): ActivityOptions => {
  const timing = timingOf(name, profile);
  const scheduleToCloseMs = call.scheduleToCloseMs ?? timing.scheduleToCloseMs;
  return {
    taskQueue: siblingQueue(workflowInfo().taskQueue, activityTable[name].pool),
    startToCloseTimeout: timing.startToCloseMs + (call.waitMs ?? 0),
    ...(scheduleToCloseMs === undefined ? {} : { scheduleToCloseTimeout: scheduleToCloseMs }),
    ...(timing.heartbeatMs === undefined ? {} : { heartbeatTimeout: timing.heartbeatMs }),
    retry: retryOf(timing),
    // An abandoned attempt is harmless: its epoch is outdated as soon as the way back begins.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    summary: call.summary,
  };
};

const retryOf = (timing: Timing): RetryPolicy => ({
  initialInterval: timing.firstRetryMs,
  maximumInterval: timing.longestRetryMs,
  backoffCoefficient: 2,
  nonRetryableErrorTypes: [...nonRetryableCodes],
  ...(timing.maxAttempts === undefined ? {} : { maximumAttempts: timing.maxAttempts }),
});
