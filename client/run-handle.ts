import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { z } from 'zod';
import { updateNames, type MessageReceipt, type UpdateName } from '../contracts/messages.ts';
import {
  MessageSchema,
  PlanDecisionSchema,
  WeightRequestSchema,
} from '../contracts/shared/message.ts';
import type { Caller } from './caller.ts';
import { toOpsError } from './error-translation.ts';
import { parseInput } from './input-validation.ts';
import { provenMessage } from './proven-message.ts';
import { readRunInput } from './run-input.ts';
import { askRun, viewRun, type RunView, type WatchOptions } from './run-view.ts';

/** A message as a caller writes it; the actor is the client's unless given. */
export interface MessageOptions {
  /** Why, in one sentence; kept as evidence. */
  reason: string;
  actor?: string;
  /** A signature or token that proves the actor. */
  proof?: string;
}

/** A decision about one plan: the digest says which one was read. */
export interface DecisionOptions extends MessageOptions {
  planDigest: string;
}

/** A share of the traffic that an operator asks for. */
export interface WeightOptions extends MessageOptions {
  /** 0–100. */
  weightPercent: number;
}

/** One line of what happened in a run, and when. */
export interface RunMoment {
  atMs: number;
  what: string;
}

/** The evidence that a run of this result keeps. */
export type EvidenceOf<Result> = Result extends { evidence: infer Evidence } ? Evidence : never;

/** A message with its proof, as the Temporal UI takes it. */
export type SignedMessage = z.output<typeof MessageSchema>;

/** One run: its result, its state, its records, and the messages that steer it. */
export interface RunHandle<Result, Progress, Plan = unknown> {
  readonly workflowId: string;
  /** Absent on a handle that means whichever run of the id is the latest. */
  readonly runId: string | undefined;
  /** The run in the Temporal UI, where its address is known. */
  readonly url: string | undefined;
  /**
   * Waits for the end, however long that takes.
   * @throws the code with which the run was refused, ABORTED if it was cancelled before it touched
   * anything, COMPENSATION_FAILED if it was terminated
   */
  result(): Promise<Result>;
  /** Where the run is and what it waits for. @throws TEMPORAL_UNREACHABLE while no worker answers */
  progress(): Promise<Progress>;
  /** What it will change, once it knows. @throws TEMPORAL_UNREACHABLE while no worker answers */
  plan(): Promise<Plan | null>;
  /** What happened when; the first 200 lines. @throws TEMPORAL_UNREACHABLE while no worker answers */
  timeline(): Promise<RunMoment[]>;
  /**
   * Who asked and decided, and what was counted, up to now.
   * @throws TEMPORAL_UNREACHABLE while no worker answers
   */
  evidence(): Promise<EvidenceOf<Result>>;
  /** What the run was started with, as it was sent; needs no worker. @throws RUN_NOT_FOUND */
  input(): Promise<unknown>;
  /** Looks at the run until it has ended; the last view is that of the end. */
  watch(options?: WatchOptions): AsyncIterable<RunView<Progress>>;
  /** Approves the plan with this digest. @throws MESSAGE_REFUSED if the run has another plan */
  approve(decision: DecisionOptions): Promise<MessageReceipt>;
  /** Rejects the plan with this digest; nothing has been changed then. */
  reject(decision: DecisionOptions): Promise<MessageReceipt>;
  /** Stops forward moves; watching and putting back go on. */
  pause(message: MessageOptions): Promise<MessageReceipt>;
  resume(message: MessageOptions): Promise<MessageReceipt>;
  /** Leaves out the gate or the failed step that the run waits at. */
  skip(message: MessageOptions): Promise<MessageReceipt>;
  /** Puts everything back. */
  abort(message: MessageOptions): Promise<MessageReceipt>;
  /** Tries the failed step again on a run that was started with `onFailure: 'hold'`. */
  retryStep(message: MessageOptions): Promise<MessageReceipt>;
  /** Tries again what could not be undone. */
  retryCompensation(message: MessageOptions): Promise<MessageReceipt>;
  /** Gives the new version this share of the traffic and stays there until `promote`. */
  setWeight(request: WeightOptions): Promise<MessageReceipt>;
  /** Ends what is being watched or waited for, and goes on with the next step. */
  promote(message: MessageOptions): Promise<MessageReceipt>;
  /** Gives the new version everything without watching any more. */
  promoteFull(message: MessageOptions): Promise<MessageReceipt>;
  /**
   * The message as it would be sent, with its proof and without sending it: for someone to paste
   * into the Temporal UI. @throws IDENTITY_UNPROVEN where there is neither key nor token
   */
  sign(
    name: UpdateName,
    message: MessageOptions & Partial<DecisionOptions & WeightOptions>,
    options?: { lifetimeMs?: number },
  ): Promise<SignedMessage>;
}

export interface RunHandleParts {
  client: Client;
  handle: WorkflowHandle;
  runId: string | undefined;
  url: string | undefined;
  caller: Caller;
  /** The use case whose verbs the run takes. */
  useCase: string;
  /** How long a message may take to be answered. */
  messageTimeoutMs: number;
}

// Fast enough for a person to see a pod change, slow enough not to load a server.
const defaultWatchIntervalMs = 500;

/** @internal */
export const createRunHandle = <Result, Progress, Plan = unknown>(
  parts: RunHandleParts,
): RunHandle<Result, Progress, Plan> => {
  const { handle } = parts;
  const decide = (name: UpdateName) => async (options: DecisionOptions) =>
    send(parts, name, parseInput(PlanDecisionSchema, { actor: parts.caller.actor, ...options }));
  const tell = (name: UpdateName) => async (options: MessageOptions) =>
    send(parts, name, parseInput(MessageSchema, { actor: parts.caller.actor, ...options }));
  return {
    workflowId: handle.workflowId,
    runId: parts.runId,
    url: parts.url,
    result: async () => translated(parts, async () => (await handle.result()) as Result),
    progress: async () => askRun<Progress>(handle, 'progress'),
    plan: async () => askRun<Plan | null>(handle, 'plan'),
    timeline: async () => askRun<RunMoment[]>(handle, 'timeline'),
    evidence: async () => askRun<EvidenceOf<Result>>(handle, 'evidence'),
    input: async () => translated(parts, async () => readRunInput(handle)),
    watch: (options = {}) => watchRun<Progress>(handle, options),
    approve: decide(updateNames.approve),
    reject: decide(updateNames.reject),
    pause: tell(updateNames.pause),
    resume: tell(updateNames.resume),
    skip: tell(updateNames.skip),
    abort: tell(updateNames.abort),
    retryStep: tell(updateNames.retryStep),
    retryCompensation: tell(updateNames.retryCompensation),
    setWeight: async (options) =>
      send(
        parts,
        updateNames.setWeight,
        parseInput(WeightRequestSchema, { actor: parts.caller.actor, ...options }),
      ),
    promote: tell(updateNames.promote),
    promoteFull: tell(updateNames.promoteFull),
    sign: async (name, options, { lifetimeMs } = {}) =>
      translated(parts, async () =>
        provenMessage(
          { ...parts, isForPasting: true, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) },
          name,
          parseInput(schemaOf(name), { actor: parts.caller.actor, ...options }),
        ),
      ),
  };
};

const schemaOf = (name: UpdateName) => {
  if (name === 'approve' || name === 'reject') return PlanDecisionSchema;
  return name === 'setWeight' ? WeightRequestSchema : MessageSchema;
};

const send = async (
  parts: RunHandleParts,
  name: UpdateName,
  unproven: z.output<typeof MessageSchema>,
): Promise<MessageReceipt> =>
  translated(parts, async () => {
    const { client, handle, messageTimeoutMs } = parts;
    const message = await provenMessage(parts, name, unproven);
    return client.withDeadline(Date.now() + messageTimeoutMs, async () =>
      handle.executeUpdate<MessageReceipt, [typeof message]>(name, { args: [message] }),
    );
  });

const translated = async <T>(
  { handle, useCase }: RunHandleParts,
  call: () => Promise<T>,
): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    throw toOpsError(error, { run: handle.workflowId, useCase });
  }
};

async function* watchRun<Progress>(
  handle: WorkflowHandle,
  { intervalMs = defaultWatchIntervalMs, signal }: WatchOptions,
): AsyncGenerator<RunView<Progress>> {
  while (signal?.aborted !== true) {
    const view = await viewRun<Progress>(handle);
    yield view;
    if (view.executionStatus !== 'RUNNING' && view.executionStatus !== 'PAUSED') return;
    await delay(intervalMs, undefined, signal === undefined ? {} : { signal }).catch(
      () => undefined,
    );
  }
}
