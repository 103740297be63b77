import type { WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  decodeFromPayloadsAtIndex,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import { z } from 'zod';
import { queryNames } from '../contracts/messages.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import { toOpsError } from './error-translation.ts';
import type { OpsError } from './ops-error.ts';

/** What the activity that waits for a rollout reports with its heartbeat. */
const PodObservation = z.object({
  replicaSet: z.object({ name: z.string() }),
  wantedReplicas: z.number(),
  readyReplicas: z.number(),
  pods: z.array(z.object({ name: z.string(), ready: z.boolean(), reason: z.string() })),
});

export type PodObservation = z.output<typeof PodObservation>;

/** What the activity that watches a version under traffic reports with its heartbeat. */
export const WatchObservation = z.object({
  elapsedMs: z.number(),
  samples: z.number(),
  failures: z.number(),
  lastFailure: z.string().nullable(),
  versions: z
    .array(z.object({ version: z.string(), samples: z.number(), failures: z.number() }))
    .optional(),
});

export type WatchObservation = z.output<typeof WatchObservation>;

/** An activity that failed and is tried again. */
export interface RetriedActivity {
  activity: string;
  attempt: number;
  lastFailure: string;
  /** When the next attempt begins; `null` while one is under way. */
  nextAttemptAtMs: number | null;
}

/** A run as seen once: its own account and what its pending activities last reported. */
export interface RunView<Progress> {
  /** `null` while no worker answers for the run. */
  progress: Progress | null;
  /** Why `progress` is `null`. */
  silence: OpsError | null;
  /** What the pending rollout last saw of its pods. */
  pods: PodObservation | null;
  /** What the pending window of a gate has counted so far. */
  counts: WatchObservation | null;
  /** Activities that fail and are tried again. */
  retrying: RetriedActivity[];
  /** `RUNNING` or how Temporal says the run ended, e.g. `COMPLETED`, `TERMINATED`. */
  executionStatus: string;
  /** Coarse stage that the run told last; known also while no worker answers. */
  lastStage: string | null;
  startedAtMs: number;
  /** `null` while the run is open. */
  endedAtMs: number | null;
}

export interface WatchOptions {
  /** Time between two looks. */
  intervalMs?: number;
  /** Ends the watching; the run goes on. */
  signal?: AbortSignal;
}

/** Looks at a run once. @throws RUN_NOT_FOUND, TEMPORAL_UNREACHABLE */
export const viewRun = async <Progress>(handle: WorkflowHandle): Promise<RunView<Progress>> => {
  const [description, answer] = await Promise.all([
    handle.describe().catch((error: unknown) => {
      throw toOpsError(error, { run: handle.workflowId });
    }),
    askRun<Progress>(handle, 'progress').then(
      (progress) => ({ progress, silence: null }),
      (error: unknown) => ({ progress: null, silence: toOpsError(error) }),
    ),
  ]);
  const pending = description.raw.pendingActivities ?? [];
  const heartbeats = await Promise.all(pending.map(async (each) => heartbeatOf(handle, each)));
  const failed = pending.filter(
    ({ attempt, lastFailure }) => (attempt ?? 1) > 1 && Boolean(lastFailure),
  );
  return {
    ...answer,
    executionStatus: description.status.name,
    pods: firstOf(PodObservation, heartbeats),
    counts: firstOf(WatchObservation, heartbeats),
    retrying: await Promise.all(failed.map(async (each) => retriedActivity(handle, each))),
    lastStage: lastStageOf(description),
    startedAtMs: description.startTime.getTime(),
    endedAtMs: description.closeTime?.getTime() ?? null,
  };
};

const lastStageOf = ({ typedSearchAttributes }: WorkflowExecutionDescription): string | null => {
  const { name } = searchAttributes.stage;
  return typedSearchAttributes.get(defineSearchAttributeKey(name, 'KEYWORD')) ?? null;
};

interface ProtoTime {
  seconds?: { toString(): string } | null;
  nanos?: number | null;
}

/** Seconds are a 64-bit number of a library, which any of them writes in decimal. */
const millisecondsOf = (time: ProtoTime | null | undefined): number | null => {
  if (time === null || time === undefined) return null;
  return Number(time.seconds ?? 0) * 1_000 + Math.round((time.nanos ?? 0) / 1_000_000);
};

// A worker that is there answers within milliseconds, after a restart within seconds.
export const queryTimeoutMs = 5_000;

/** An answer of the run itself. @throws TEMPORAL_UNREACHABLE if no worker gives it in time */
export const askRun = async <Answer>(
  handle: WorkflowHandle,
  query: keyof typeof queryNames,
): Promise<Answer> => {
  try {
    return await handle.client.withDeadline(Date.now() + queryTimeoutMs, async () =>
      handle.query<Answer>(queryNames[query]),
    );
  } catch (error) {
    throw toOpsError(error, { run: handle.workflowId, asksWorker: true });
  }
};

type PendingActivity = NonNullable<
  WorkflowExecutionDescription['raw']['pendingActivities']
>[number];

/** What is pending belongs to an activity of this run, whose payloads may be sealed for it. */
const activityContext = (handle: WorkflowHandle, { activityId }: PendingActivity) => ({
  type: 'activity' as const,
  namespace: handle.client.options.namespace,
  workflowId: handle.workflowId,
  ...(activityId ? { activityId } : {}),
  isLocal: false,
});

const heartbeatOf = async (handle: WorkflowHandle, pending: PendingActivity): Promise<unknown> => {
  const { loadedDataConverter } = handle.client.options;
  const payloads = pending.heartbeatDetails?.payloads;
  if (!payloads?.length) return undefined;
  const context = activityContext(handle, pending);
  // A payload that nobody here can read; the run's own account is still there.
  return decodeFromPayloadsAtIndex(loadedDataConverter, 0, payloads, context).catch(
    () => undefined,
  );
};

const retriedActivity = async (
  handle: WorkflowHandle,
  pending: PendingActivity,
): Promise<RetriedActivity> => {
  const { activityType, attempt, lastFailure, nextAttemptScheduleTime } = pending;
  const { loadedDataConverter } = handle.client.options;
  const error = await decodeOptionalFailureToOptionalError(
    loadedDataConverter,
    lastFailure,
    activityContext(handle, pending),
  ).catch(() => undefined);
  return {
    activity: activityType?.name ?? 'an activity',
    attempt: attempt ?? 1,
    lastFailure: error?.message ?? lastFailure?.message ?? '',
    nextAttemptAtMs: millisecondsOf(nextAttemptScheduleTime),
  };
};

const firstOf = <Schema extends z.ZodType>(
  schema: Schema,
  values: readonly unknown[],
): z.output<Schema> | null => {
  for (const value of values) {
    const outcome = schema.safeParse(value);
    if (outcome.success) return outcome.data;
  }
  return null;
};
