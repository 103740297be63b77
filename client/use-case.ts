import { createHash } from 'node:crypto';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import {
  defineSearchAttributeKey,
  type SearchAttributePair,
  WorkflowIdReusePolicy,
} from '@temporalio/common';
import type { z } from 'zod';
import { searchAttributes } from '../contracts/search-attributes.ts';
import type { Contract } from '../contracts/shared/define-contract.ts';
import { taskQueueOf } from '../domain/shared/task-queue.ts';
import { canonicalJson } from '../domain/delivery/canonical-json.ts';
import type { Caller } from './caller.ts';
import { toOpsError } from './error-translation.ts';
import { OpsError } from './ops-error.ts';
import { createRunHandle, type RunHandle } from './run-handle.ts';

/** How a run is started, apart from its input. */
export interface StartOptions {
  /**
   * A retry of the same request carries the same key and gets the run that the first one
   * started, also when that has ended. Without a key an ended run never stands in the way.
   */
  idempotencyKey?: string;
}

/** A handle that knows whether this call started the run or found it. */
export type StartedRun<Result, Progress, Plan = unknown> = RunHandle<Result, Progress, Plan> & {
  readonly started: boolean;
};

/** What every facade method works with. */
export interface FacadeContext {
  client: Client;
  queuePrefix: string;
  caller: Caller;
  messageTimeoutMs: number;
  runUrl: (workflowId: string, runId: string | undefined) => string | undefined;
}

/** One run to start: the parsed input and how it is described in the Temporal UI. */
export interface StartRequest<Input> {
  input: Input;
  summary: string;
  details: string;
  /** What is compared with the input of a run that is there already. */
  identity: unknown;
}

/** Memo fields by which a later start recognises the run. */
const memoKeys = { inputDigest: 'holdfastInputDigest', idempotencyKey: 'holdfastIdempotencyKey' };

/** What to do when another run of the same id is open with other input. */
export type OnOtherInput = 'refuse' | 'take';

/** @internal Starts runs of one row of the catalogue. */
export const startRun = async <
  Input extends z.ZodType,
  Result extends z.ZodType,
  Progress,
  Plan = unknown,
>(
  context: FacadeContext,
  contract: Contract<Input, Result>,
  request: StartRequest<z.output<Input>> & StartOptions & { onOtherInput: OnOtherInput },
): Promise<StartedRun<z.output<Result>, Progress, Plan>> => {
  const workflowId = contract.workflowId(request.input);
  const inputDigest = digestOf(request.identity);
  const start = async (reuse: WorkflowIdReusePolicy): Promise<string> => {
    const handle = await context.client.workflow.start(contract.workflow, {
      workflowId,
      taskQueue: taskQueueOf(context.queuePrefix, contract.pool),
      args: [request.input],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: reuse,
      memo: memoOf(inputDigest, request.idempotencyKey),
      typedSearchAttributes: startAttributes(contract, request.input),
      staticSummary: request.summary.slice(0, 100),
      staticDetails: request.details,
    });
    return handle.firstExecutionRunId;
  };
  const outcome = await startOrFind(context, { workflowId, start, ...request, inputDigest });
  const handle = context.client.workflow.getHandle(workflowId, outcome.runId);
  const run = createRunHandle<z.output<Result>, Progress, Plan>({
    ...context,
    handle,
    useCase: contract.workflow,
    runId: outcome.runId,
    url: context.runUrl(workflowId, outcome.runId),
  });
  return Object.assign(run, { started: outcome.started });
};

interface StartAttempt extends StartOptions {
  workflowId: string;
  inputDigest: string;
  onOtherInput: OnOtherInput;
  start: (reuse: WorkflowIdReusePolicy) => Promise<string>;
}

interface StartOutcome {
  runId: string;
  started: boolean;
}

const startOrFind = async (
  context: FacadeContext,
  attempt: StartAttempt,
): Promise<StartOutcome> => {
  const { workflowId, idempotencyKey } = attempt;
  const repeatable = WorkflowIdReusePolicy.ALLOW_DUPLICATE;
  const onlyFirst = WorkflowIdReusePolicy.REJECT_DUPLICATE;
  const first = await tryStart(attempt, idempotencyKey === undefined ? repeatable : onlyFirst);
  if (first !== null) return first;
  const existing = await describe(context, workflowId);
  if (isOpen(existing) || hasKey(existing, idempotencyKey)) return takeExisting(existing, attempt);
  const second = await tryStart(attempt, repeatable);
  // Where another caller was faster between the two starts, its run is the one to look at.
  return second ?? takeExisting(await describe(context, workflowId), attempt);
};

/** `null` if the policies let no run start beside the one that is there. */
const tryStart = async (
  { workflowId, start }: StartAttempt,
  reuse: WorkflowIdReusePolicy,
): Promise<StartOutcome | null> => {
  try {
    return { runId: await start(reuse), started: true };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
    throw toOpsError(error, { run: workflowId });
  }
};

const isOpen = ({ status }: WorkflowExecutionDescription): boolean =>
  status.name === 'RUNNING' || status.name === 'PAUSED';

const hasKey = ({ memo }: WorkflowExecutionDescription, key: string | undefined): boolean =>
  key !== undefined && memo?.[memoKeys.idempotencyKey] === key;

const takeExisting = (
  existing: WorkflowExecutionDescription,
  { workflowId, inputDigest, onOtherInput }: StartAttempt,
): StartOutcome => {
  const sameInput = existing.memo?.[memoKeys.inputDigest] === inputDigest;
  if (sameInput || onOtherInput === 'take') return { runId: existing.runId, started: false };
  throw new OpsError({
    code: 'RUN_EXISTS',
    message: `The run ${workflowId} is there already, with other input. Nothing was started.`,
    subject: workflowId,
  });
};

const describe = async (
  { client }: FacadeContext,
  workflowId: string,
): Promise<WorkflowExecutionDescription> => {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    throw toOpsError(error, { run: workflowId });
  }
};

const memoOf = (inputDigest: string, idempotencyKey: string | undefined) => ({
  [memoKeys.inputDigest]: inputDigest,
  ...(idempotencyKey === undefined ? {} : { [memoKeys.idempotencyKey]: idempotencyKey }),
});

/** Fields of the input that are search attributes too, so that a run is found before a worker sees it. */
const startAttributes = (contract: Contract, input: unknown): SearchAttributePair[] =>
  contract.searchAttributes.flatMap((key) => {
    const { name, type } = searchAttributes[key];
    const value = (input as Record<string, unknown>)[key];
    if (type !== 'KEYWORD' || typeof value !== 'string') return [];
    return [{ key: defineSearchAttributeKey(name, type), value }];
  });

const digestOf = (value: unknown): string =>
  `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
