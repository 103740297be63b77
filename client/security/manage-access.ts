import { z } from 'zod';
import type { AccessPlan } from '../../activities/identity/port.ts';
import {
  manageAccess as contract,
  ManageAccessInput,
  type ManageAccessProgress,
  type ManageAccessResult,
} from '../../contracts/security/manage-access.ts';
import { accessQuestion, changeOf, describeChange } from '../../domain/security/access-change.ts';
import { parseInput } from '../input-validation.ts';
import { createRunHandle, type RunHandle } from '../run-handle.ts';
import {
  startRun,
  type FacadeContext,
  type OnOtherInput,
  type StartedRun,
  type StartOptions,
} from '../use-case.ts';

type ContractInput = z.input<typeof ManageAccessInput>;

/** A change of access as a caller asks for it. */
export interface ManageAccessRequest extends Omit<ContractInput, 'requestedBy'> {
  /** Who asks, and why. */
  requestedBy?: Partial<ContractInput['requestedBy']>;
}

export type ManageAccessHandle = RunHandle<ManageAccessResult, ManageAccessProgress, AccessPlan>;
export type StartedManageAccess = StartedRun<ManageAccessResult, ManageAccessProgress, AccessPlan>;

/** `ops.security.manageAccess`: who has which roles, changed by runs that leave evidence. */
export interface ManageAccessFacade {
  /**
   * Starts a change of access. The same request again finds the run that is there.
   *
   * @throws INVALID_INPUT with field and reason, PERMISSION_DENIED and IDENTITY_UNPROVEN where access
   * is configured, RUN_EXISTS if an open run of this name changes something else,
   * TEMPORAL_UNREACHABLE
   * @example
   * ```ts
   * import { createOpsClient } from 'holdfast';
   *
   * await using ops = await createOpsClient();
   * const run = await ops.security.manageAccess.start({
   *   change: 'ops-4711',
   *   give: [{ role: 'operator', user: 'ana@example.com', environments: ['prod'], forMs: 28_800_000 }],
   *   requestedBy: { reason: 'Ana is on call this week' },
   * });
   * const { waitingFor } = await run.progress();
   * console.log(waitingFor?.what ?? 'it goes on by itself');
   * ```
   */
  start(request: ManageAccessRequest, options?: StartOptions): Promise<StartedManageAccess>;
  /** Starts a change, or takes the open run of the same name whatever it changes. */
  startOrGet(request: ManageAccessRequest, options?: StartOptions): Promise<StartedManageAccess>;
  /**
   * Starts a change and waits for its end. Roles that are given for a time have ended by then: to wait
   * only until they are given, start it and watch.
   */
  execute(request: ManageAccessRequest, options?: StartOptions): Promise<ManageAccessResult>;
  /** The run of a change, by the name of the change or by its workflow id. */
  getHandle(name: string): Promise<ManageAccessHandle>;
}

/** @internal */
export const createManageAccessFacade = (context: FacadeContext): ManageAccessFacade => {
  const start =
    (onOtherInput: OnOtherInput) =>
    async (request: ManageAccessRequest, options: StartOptions = {}) => {
      const input = await proven(context, inputOf(context, request));
      const { requestedBy, ...identity } = input;
      return startRun<
        typeof ManageAccessInput,
        typeof contract.result,
        ManageAccessProgress,
        AccessPlan
      >(context, contract, {
        ...options,
        input,
        identity,
        onOtherInput,
        summary: describeChange(changeOf(input)),
        details: `Asked for by ${requestedBy.actor}: ${requestedBy.reason}`,
      });
    };
  return {
    start: start('refuse'),
    startOrGet: start('take'),
    execute: async (request, options) => (await start('refuse')(request, options)).result(),
    getHandle: async (name) => {
      const workflowId = accessRunOf(name);
      return createRunHandle({
        ...context,
        handle: context.client.workflow.getHandle(workflowId),
        useCase: contract.workflow,
        runId: undefined,
        url: context.runUrl(workflowId, undefined),
      });
    },
  };
};

const prefix = 'access:';

/** The workflow id of a change, also where a schedule has put the time of its start behind the name. */
const accessRunOf = (name: string): string => (name.startsWith(prefix) ? name : `${prefix}${name}`);

/** The name by which people and commands know a run of this workflow id. */
export const changeNameOf = (workflowId: string): string =>
  workflowId.startsWith(prefix) ? workflowId.slice(prefix.length) : workflowId;

/** What has to hold before the facade can fill in the rest; the contract checks all else. */
const RequestShape = z.looseObject({ requestedBy: z.looseObject({}).optional() });

const inputOf = ({ caller }: FacadeContext, request: ManageAccessRequest): ManageAccessInput => {
  parseInput(RequestShape, request);
  const { requestedBy, ...change } = request;
  return parseInput(ManageAccessInput, {
    ...change,
    requestedBy: {
      actor: caller.actor,
      reason: `Change of access ${request.change}`,
      ...requestedBy,
    },
  });
};

/** The input with the proof of who asks. @throws IDENTITY_UNPROVEN, PERMISSION_DENIED */
const proven = async (
  { caller }: FacadeContext,
  input: ManageAccessInput,
): Promise<ManageAccessInput> => {
  const { requestedBy } = input;
  if (requestedBy.proof !== undefined) return input;
  const action = `${contract.workflow}.start`;
  await caller.permit(requestedBy.actor, { action, ...accessQuestion(changeOf(input)) });
  const proof = await caller.prove({
    workflowId: contract.workflowId(input),
    ...{ action, content: input },
  });
  return proof === undefined ? input : { ...input, requestedBy: { ...requestedBy, proof } };
};
