import type { TimeoutProfile } from '../../activities/contracts/port.ts';
import type { Pool } from '../../contracts/shared/define-contract.ts';

/** Timeouts and retries of one kind of activity. */
export interface Timing {
  /** One attempt; for waits it is added to the deadline that the request names. */
  readonly startToCloseMs: number;
  /** All attempts together; absent where the caller's own deadline ends them. */
  readonly scheduleToCloseMs?: number;
  readonly heartbeatMs?: number;
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** Absent: attempts end by time, not by number. */
  readonly maxAttempts?: number;
}

type Row = Readonly<Record<TimeoutProfile, Timing>>;

/**
 * The one table of activity timeouts. The column `test` lets an activity of a killed
 * worker be tried again within two to three seconds, so that a kill at every write can
 * be tested; the retry gap there is short for the same reason.
 */
const kinds = {
  /** Reads of the cluster, with dry-runs of every object forward and back. */
  read: {
    standard: {
      startToCloseMs: 30_000, // two dry-runs for each of 50 objects against a slow API server
      scheduleToCloseMs: 120_000, // an API server that is away longer is reported, nothing was touched
      firstRetryMs: 500, // conflicts and rate limits pass quickly
      longestRetryMs: 10_000, // an API server that restarts is found soon after it is back
    },
    test: {
      startToCloseMs: 5_000, // a small plan on two busy cores takes about one second
      scheduleToCloseMs: 30_000, // outlasts the restart of a killed worker
      firstRetryMs: 200,
      longestRetryMs: 1_000,
    },
  },
  /** One write of the plan; it finds out itself whether an earlier attempt took effect. */
  write: {
    standard: {
      startToCloseMs: 30_000, // the API server's own limit for a request is 60 s, admission 30 s
      scheduleToCloseMs: 300_000, // half of the usual deadline; the way back needs time too
      firstRetryMs: 500,
      longestRetryMs: 10_000,
    },
    test: {
      startToCloseMs: 2_500, // a killed worker is noticed only when this is over
      scheduleToCloseMs: 60_000,
      firstRetryMs: 200,
      longestRetryMs: 1_000,
    },
  },
  /** Watches that heartbeat what they see; the request says how long they may take. */
  wait: {
    standard: {
      startToCloseMs: 30_000, // grace after the request's own deadline, which reports better
      heartbeatMs: 20_000, // loss of a worker shows within this
      firstRetryMs: 1_000,
      longestRetryMs: 10_000,
    },
    test: {
      startToCloseMs: 5_000,
      heartbeatMs: 2_000, // workers report once a second; two misses are a loss
      firstRetryMs: 200,
      longestRetryMs: 1_000,
    },
  },
  /** Undoing a step; the saga tries again until its own deadline, then asks an operator. */
  undo: {
    standard: {
      startToCloseMs: 60_000, // more patient than forward: nothing better is left to do
      firstRetryMs: 1_000,
      longestRetryMs: 10_000,
      maxAttempts: 3, // then the saga counts a failed attempt and may alert an operator
    },
    test: {
      startToCloseMs: 2_500,
      firstRetryMs: 200,
      longestRetryMs: 1_000,
      maxAttempts: 3,
    },
  },
  /** Best effort beside the way back, which does not wait longer for it. */
  keep: {
    standard: {
      startToCloseMs: 15_000, // pods that are being deleted keep their logs for their grace period
      scheduleToCloseMs: 20_000,
      firstRetryMs: 500,
      longestRetryMs: 2_000,
    },
    test: {
      startToCloseMs: 2_500,
      scheduleToCloseMs: 6_000,
      firstRetryMs: 200,
      longestRetryMs: 1_000,
    },
  },
  /** Asking for the lock, which is a message to Temporal itself. */
  lock: {
    standard: {
      startToCloseMs: 15_000, // the call itself gives up after 8 s
      firstRetryMs: 500,
      longestRetryMs: 30_000,
    },
    test: {
      startToCloseMs: 3_000,
      firstRetryMs: 200,
      longestRetryMs: 1_000,
    },
  },
  notify: {
    standard: {
      startToCloseMs: 10_000, // a receiver that needs longer is not receiving
      scheduleToCloseMs: 30_000, // a notification never holds up the end of a run for longer
      firstRetryMs: 2_000,
      longestRetryMs: 10_000,
    },
    test: {
      startToCloseMs: 2_500,
      scheduleToCloseMs: 5_000,
      firstRetryMs: 200,
      longestRetryMs: 1_000,
    },
  },
  /** Local activities: short, without effects, in the process of the workflow. */
  local: {
    standard: {
      startToCloseMs: 10_000, // longer would hold up the workflow task
      firstRetryMs: 200,
      longestRetryMs: 5_000,
    },
    test: {
      startToCloseMs: 10_000,
      firstRetryMs: 100,
      longestRetryMs: 1_000,
    },
  },
} satisfies Record<string, Row>;

/** Where each activity runs and how patient its caller is. */
export const activityTable = {
  'releases.plan': { pool: 'kubernetes', kind: 'read' },
  'releases.capture': { pool: 'kubernetes', kind: 'read' },
  'releases.highestFence': { pool: 'kubernetes', kind: 'read' },
  'releases.prove': { pool: 'kubernetes', kind: 'read' },
  'releases.write': { pool: 'kubernetes', kind: 'write' },
  'releases.prune': { pool: 'kubernetes', kind: 'write' },
  'releases.revert': { pool: 'kubernetes', kind: 'undo' },
  'workloads.setPaused': { pool: 'kubernetes', kind: 'write' },
  'workloads.scale': { pool: 'kubernetes', kind: 'write' },
  'routes.setWeight': { pool: 'kubernetes', kind: 'wait' },
  'routes.awaitTaken': { pool: 'kubernetes', kind: 'wait' },
  'workloads.awaitRollout': { pool: 'kubernetes', kind: 'wait' },
  'workloads.awaitEndpoints': { pool: 'kubernetes', kind: 'wait' },
  'workloads.keepLogs': { pool: 'kubernetes', kind: 'keep' },
  'workloads.retire': { pool: 'kubernetes', kind: 'wait' },
  'checks.validate': { pool: 'kubernetes', kind: 'read' },
  'checks.exec': { pool: 'kubernetes', kind: 'wait' },
  'checks.runJob': { pool: 'kubernetes', kind: 'wait' },
  'checks.deleteJob': { pool: 'kubernetes', kind: 'write' },
  'probes.reach': { pool: 'traffic', kind: 'wait' },
  'probes.smoke': { pool: 'traffic', kind: 'wait' },
  'probes.watch': { pool: 'traffic', kind: 'wait' },
  'metrics.query': { pool: 'traffic', kind: 'read' },
  'metrics.queryRange': { pool: 'traffic', kind: 'read' },
  'measurements.measure': { pool: 'traffic', kind: 'read' },
  'measurements.check': { pool: 'traffic', kind: 'read' },
  'alertRules.check': { pool: 'traffic', kind: 'read' },
  'alertRules.capture': { pool: 'traffic', kind: 'read' },
  'alertRules.write': { pool: 'traffic', kind: 'write' },
  'alertRules.awaitLoaded': { pool: 'traffic', kind: 'wait' },
  'alertRules.putBack': { pool: 'traffic', kind: 'undo' },
  'measurements.watchCounts': { pool: 'traffic', kind: 'wait' },
  // The pool that is sure to have the store.
  'releaseRecords.add': { pool: 'kubernetes', kind: 'write' },
  // That pool reaches clusters, and has the access configuration and the database.
  'accessChanges.plan': { pool: 'kubernetes', kind: 'read' },
  'accessChanges.write': { pool: 'kubernetes', kind: 'write' },
  'accessChanges.conclude': { pool: 'kubernetes', kind: 'write' },
  'accessTargets.reconcile': { pool: 'kubernetes', kind: 'write' },
  'notifications.send': { pool: 'notify', kind: 'notify' },
  'locks.request': { pool: 'orchestration', kind: 'lock' },
} as const satisfies Record<string, { pool: Pool; kind: keyof typeof kinds }>;

export type ActivityName = keyof typeof activityTable;

export const timingOf = (name: ActivityName, profile: TimeoutProfile): Timing =>
  kinds[activityTable[name].kind][profile];

export const localTiming = (profile: TimeoutProfile): Timing => kinds.local[profile];

/**
 * Who sends is known within this, or the message is refused and can be sent again: keys or an issuer
 * that do not answer would fill the history with attempts.
 */
export const knownWithinMs = 30_000;

/** Durations that workflows wait for by themselves. */
export interface Waits {
  /** How long an abort waits for a write that is under way, to know its outcome. */
  readonly writeGraceMs: number;
  /** A smoke check is repeated until it passes or this is over. */
  readonly smokeDeadlineMs: number;
  /** Endpoints follow ready pods within seconds; longer means that they do not follow. */
  readonly endpointsDeadlineMs: number;
  /** Pods become ready and gateways take a weight within this, or traffic does not move. */
  readonly shiftDeadlineMs: number;
  /** Prometheus shows new rules within this: it evaluates them once a minute by default. */
  readonly alertsDeadlineMs: number;
  /** Counts of a budget are read this often. */
  readonly countEveryMs: number;
  /** An operator hears of a step that is not undone after this. */
  readonly operatorAlertMs: number;
  readonly firstUndoRetryMs: number;
  readonly longestUndoRetryMs: number;
  /** Least time for an attempt to undo, also when its deadline passed while no worker ran. */
  readonly leastUndoMs: number;
  /** A run that waits for the lock asks again, in case the entity was lost. */
  readonly firstLockReminderMs: number;
  readonly longestLockReminderMs: number;
  /** When the entity first looks whether the holder still lives; a quick deploy is over before. */
  readonly firstHolderLookMs: number;
  readonly longestHolderLookMs: number;
  /** The entity continues as new after so many events. */
  readonly entityHistoryEvents: number;
}

const waits: Readonly<Record<TimeoutProfile, Waits>> = {
  standard: {
    writeGraceMs: 1_500, // a write takes about 100 ms; an abort must act within two seconds
    smokeDeadlineMs: 30_000, // gateways take up to some seconds to route to new pods
    endpointsDeadlineMs: 60_000,
    shiftDeadlineMs: 120_000, // a canary may need more pods for the next share
    alertsDeadlineMs: 180_000, // twice what it takes by default
    countEveryMs: 2_000, // faster than sources scrape; one cheap query each
    operatorAlertMs: 120_000, // short hiccups of an API server pass by themselves
    firstUndoRetryMs: 2_000,
    longestUndoRetryMs: 30_000, // about 25 attempts in ten minutes keep the history short
    leastUndoMs: 60_000,
    firstLockReminderMs: 300_000,
    longestLockReminderMs: 3_600_000, // a week in the queue stays below 2,000 events
    firstHolderLookMs: 120_000, // nearly every release is over by then
    longestHolderLookMs: 600_000,
    entityHistoryEvents: 1_500, // well below the 4,096 at which the server suggests it
  },
  test: {
    writeGraceMs: 1_500,
    smokeDeadlineMs: 5_000,
    endpointsDeadlineMs: 15_000,
    shiftDeadlineMs: 15_000,
    alertsDeadlineMs: 15_000,
    countEveryMs: 100,
    operatorAlertMs: 2_000,
    firstUndoRetryMs: 200,
    longestUndoRetryMs: 1_000,
    leastUndoMs: 5_000,
    firstLockReminderMs: 10_000,
    longestLockReminderMs: 60_000,
    firstHolderLookMs: 3_000,
    longestHolderLookMs: 10_000,
    entityHistoryEvents: 200, // so that ordinary tests continue as new now and then
  },
};

export const waitsOf = (profile: TimeoutProfile): Waits => waits[profile];
