import { z } from 'zod';
import {
  deployService as contract,
  DeployServiceInput,
  type DeployServiceProgress,
  type DeployServiceResult,
} from '../../contracts/delivery/deploy-service.ts';
import { approvalsAskedFor } from '../../domain/security/approval.ts';
import { parseInput } from '../input-validation.ts';
import { encodeManifests, type Manifest } from '../manifest-set.ts';
import { createRunHandle, type RunHandle } from '../run-handle.ts';
import type { Services } from '../services.ts';
import {
  startRun,
  type FacadeContext,
  type OnOtherInput,
  type StartedRun,
  type StartOptions,
} from '../use-case.ts';
import type { ReleasePlan } from './release-plan.ts';

type ContractInput = z.input<typeof DeployServiceInput>;
type DerivedField = 'manifestsDigest' | 'release' | 'requestedBy';

/** A release as a caller asks for it; the rest of the contract's input is derived. */
export interface DeployServiceRequest extends Omit<ContractInput, DerivedField> {
  /** The Kubernetes objects of the service, as raw JSON. */
  manifests: readonly Manifest[];
  /** Unique for the service; derived from the manifests unless given. */
  release?: string;
  /** Who asks, and why. */
  requestedBy?: Partial<ContractInput['requestedBy']>;
}

export type DeployServiceHandle = RunHandle<
  DeployServiceResult,
  DeployServiceProgress,
  ReleasePlan
>;
export type StartedDeployService = StartedRun<
  DeployServiceResult,
  DeployServiceProgress,
  ReleasePlan
>;

/** Names a run: by workflow id, by its release, or as the live one of a service. */
export type DeployServiceName = string | { environment: string; service: string; release?: string };

/** `ops.delivery.deployService`: releases of one service, all or nothing. */
export interface DeployServiceFacade {
  /**
   * Starts a release. The same request again finds the run that is there.
   *
   * @throws INVALID_INPUT with field and reason, PERMISSION_DENIED and IDENTITY_UNPROVEN where access
   * is configured, RUN_EXISTS if an open run of this release has
   * other input, TEMPORAL_UNREACHABLE
   * @example
   * ```ts
   * import { createOpsClient } from 'holdfast';
   * import { readManifests } from 'holdfast/files';
   *
   * await using ops = await createOpsClient();
   * const run = await ops.delivery.deployService.start({
   *   service: 'shop',
   *   environment: 'staging',
   *   manifests: await readManifests({ paths: ['k8s/'], directory: process.cwd() }),
   *   smoke: [{ path: '/healthz' }],
   * });
   * const { outcome } = await run.result();
   * ```
   */
  start(request: DeployServiceRequest, options?: StartOptions): Promise<StartedDeployService>;
  /** Starts a release, or takes the open run of the same name whatever its input is. */
  startOrGet(request: DeployServiceRequest, options?: StartOptions): Promise<StartedDeployService>;
  /** Starts a release and waits for its end. */
  execute(request: DeployServiceRequest, options?: StartOptions): Promise<DeployServiceResult>;
  /** Finds a run. @throws RUN_NOT_FOUND if the service has no live one */
  getHandle(name: DeployServiceName): Promise<DeployServiceHandle>;
  /**
   * The workflow input of a request: manifests stored, defaults applied, everything checked.
   * Starts nothing.
   */
  prepare(request: DeployServiceRequest): Promise<DeployServiceInput>;
}

/** What the facade of this use case needs besides the common parts. */
export interface DeployServiceParts {
  context: FacadeContext;
  services: Services;
  /** Stores bytes where the workers read them and returns their digest. */
  store: (bytes: Uint8Array) => Promise<string>;
}

/** @internal */
export const createDeployServiceFacade = (parts: DeployServiceParts): DeployServiceFacade => {
  const start =
    (onOtherInput: OnOtherInput) =>
    async (request: DeployServiceRequest, options: StartOptions = {}) => {
      const input = await proven(parts.context, await prepareInput(parts, request));
      const { requestedBy, ...identity } = input;
      return startRun<
        typeof DeployServiceInput,
        typeof contract.result,
        DeployServiceProgress,
        ReleasePlan
      >(parts.context, contract, {
        ...options,
        input,
        identity,
        onOtherInput,
        summary: `${input.service} ${input.release} → ${input.environment}, ${input.strategy.type}`,
        details: `Asked for by ${requestedBy.actor}: ${requestedBy.reason}`,
      });
    };
  return {
    start: start('refuse'),
    startOrGet: start('take'),
    execute: async (request, options) => (await start('refuse')(request, options)).result(),
    getHandle: async (name) => handleOf(parts, name),
    prepare: async (request) => prepareInput(parts, request),
  };
};

/** What has to hold before the facade can fill in the rest; the contract checks all else. */
const RequestShape = z.looseObject({
  manifests: z.array(z.custom<Manifest>()).min(1, 'must hold at least one object'),
  release: z.string().optional(),
  requestedBy: z.looseObject({}).optional(),
});

const prepareInput = async (
  { context, store }: DeployServiceParts,
  request: DeployServiceRequest,
): Promise<DeployServiceInput> => {
  parseInput(RequestShape, request);
  const { manifests, release, requestedBy, ...rest } = request;
  const { bytes, contentName } = encodeManifests(manifests);
  const input = {
    ...rest,
    release: release ?? contentName,
    requestedBy: {
      actor: context.caller.actor,
      reason: `Release of ${request.service}`,
      ...requestedBy,
    },
  };
  // Everything but the digest is checked first: nothing is stored for a request that is refused.
  parseInput(DeployServiceInput.omit({ manifestsDigest: true }), input);
  return parseInput(DeployServiceInput, { ...input, manifestsDigest: await store(bytes) });
};

/** The input with the proof of who asks. @throws IDENTITY_UNPROVEN, PERMISSION_DENIED */
const proven = async (
  { caller }: FacadeContext,
  input: DeployServiceInput,
): Promise<DeployServiceInput> => {
  const { environment, service, requestedBy, approvals, queue } = input;
  const { actor } = requestedBy;
  if (requestedBy.proof !== undefined) return input;
  const action = `${contract.workflow}.start`;
  const about = {
    requestedBy: actor,
    approvals: approvalsAskedFor(approvals),
    isHotfix: queue === 'hotfix',
  };
  await caller.permit(actor, { action, environment, service, ...about }, approvals);
  const proof = await caller.prove({
    workflowId: contract.workflowId(input),
    ...{ action, content: input },
  });
  return proof === undefined ? input : { ...input, requestedBy: { ...requestedBy, proof } };
};

const handleOf = async (
  { context, services }: DeployServiceParts,
  name: DeployServiceName,
): Promise<DeployServiceHandle> => {
  const run = await resolve(services, name);
  return createRunHandle({
    ...context,
    handle: context.client.workflow.getHandle(run.workflowId, run.runId),
    useCase: contract.workflow,
    runId: run.runId,
    url: context.runUrl(run.workflowId, run.runId),
  });
};

const resolve = async (
  services: Services,
  name: DeployServiceName,
): Promise<{ workflowId: string; runId: string | undefined }> => {
  if (typeof name === 'string') return { workflowId: name, runId: undefined };
  const { environment, service, release } = name;
  if (release !== undefined) {
    return {
      workflowId: contract.workflowId({ environment, service, release } as DeployServiceInput),
      runId: undefined,
    };
  }
  return services.liveRun(environment, service);
};
