import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { z } from 'zod';
import { queryNames } from '../contracts/messages.ts';
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

/** A run as seen once: its own account and what its pending activities last reported. */
export interface RunView<Progress> {
  /** `null` while no worker answers for the run. */
  progress: Progress | null;
  /** Why `progress` is `null`. */
  silence: OpsError | null;
  /** What the pending rollout last saw of its pods. */
  pods: PodObservation | null;
  /** Activities that fail and are tried again. */
  retrying: { activity: string; attempt: number; lastFailure: string }[];
  /** `RUNNING` or how Temporal says the run ended, e.g. `COMPLETED`, `TERMINATED`. */
  executionStatus: string;
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
    askProgress<Progress>(handle).then(
      (progress) => ({ progress, silence: null }),
      (error: unknown) => ({ progress: null, silence: toOpsError(error) }),
    ),
  ]);
  const pending = description.raw.pendingActivities ?? [];
  return {
    ...answer,
    executionStatus: description.status.name,
    pods:
      pending
        .map(({ heartbeatDetails }) => observationIn(heartbeatDetails?.payloads?.[0]))
        .find(isSeen) ?? null,
    retrying: pending
      .filter(({ attempt, lastFailure }) => (attempt ?? 1) > 1 && Boolean(lastFailure))
      .map(({ activityType, attempt, lastFailure }) => ({
        activity: activityType?.name ?? 'an activity',
        attempt: attempt ?? 1,
        lastFailure: lastFailure?.message ?? '',
      })),
  };
};

// A worker that is there answers within milliseconds, after a restart within seconds.
export const queryTimeoutMs = 5_000;

/** The run's own account. @throws TEMPORAL_UNREACHABLE if no worker gives it in time */
export const askProgress = async <Progress>(handle: WorkflowHandle): Promise<Progress> => {
  try {
    return await handle.client.withDeadline(Date.now() + queryTimeoutMs, async () =>
      handle.query<Progress>(queryNames.progress),
    );
  } catch (error) {
    throw toOpsError(error, { run: handle.workflowId, asksWorker: true });
  }
};

type EncodedPayload = Parameters<typeof defaultPayloadConverter.fromPayload>[0];

const observationIn = (payload: EncodedPayload | undefined): PodObservation | null => {
  if (payload === undefined) return null;
  try {
    return PodObservation.safeParse(defaultPayloadConverter.fromPayload(payload)).data ?? null;
  } catch {
    // A payload that another converter wrote; the run's own account is still there.
    return null;
  }
};

const isSeen = (observation: PodObservation | null): observation is PodObservation =>
  observation !== null;
