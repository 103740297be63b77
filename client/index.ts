import type { Client } from '@temporalio/client';
import { keyManagementOf, openKeyManagement } from '../activities/encryption/index.ts';
import {
  blobSettingsOf,
  createFilesystemBlobStore,
  openBlobStore,
} from '../activities/store/index.ts';
import { createCaller, type Caller } from './caller.ts';
import { readSurroundings, type Surroundings } from './config.ts';
import { openConnection, type ServerChoice } from './connection.ts';
import { createDeployServiceFacade, type DeployServiceFacade } from './delivery/deploy-service.ts';
import { toOpsError } from './error-translation.ts';
import { createCertification, type Certification } from './schedules.ts';
import { createManageAccessFacade, type ManageAccessFacade } from './security/manage-access.ts';
import { listRuns, type RunFilter, type RunSummary } from './run-list.ts';
import { createServices, type Services } from './services.ts';

export type {
  DeployServiceProgress,
  DeployServiceResult,
} from '../contracts/delivery/deploy-service.ts';
export type { LockResolution, ServiceLockState } from '../contracts/delivery/service-lock.ts';
export type {
  ManageAccessProgress,
  ManageAccessResult,
} from '../contracts/security/manage-access.ts';
export type { ErrorCode } from '../contracts/errors.ts';
export type { MessageReceipt } from '../contracts/messages.ts';
export type {
  DeployServiceFacade,
  DeployServiceHandle,
  DeployServiceName,
  DeployServiceRequest,
  StartedDeployService,
} from './delivery/deploy-service.ts';
export type { ReleasePlan } from './delivery/release-plan.ts';
export type { Manifest } from './manifest-set.ts';
export { OpsError } from './ops-error.ts';
export type {
  DecisionOptions,
  EvidenceOf,
  MessageOptions,
  RunHandle,
  RunMoment,
  SignedMessage,
  WeightOptions,
} from './run-handle.ts';
export type { RunFilter, RunSummary } from './run-list.ts';
export type {
  PodObservation,
  RetriedActivity,
  RunView,
  WatchObservation,
  WatchOptions,
} from './run-view.ts';
export type { Certification, CertificationSchedule } from './schedules.ts';
export type {
  ManageAccessFacade,
  ManageAccessHandle,
  ManageAccessRequest,
  StartedManageAccess,
} from './security/manage-access.ts';
export type { AccessPlan } from '../activities/identity/port.ts';
export type { Services } from './services.ts';
export type { StartOptions } from './use-case.ts';

/** A blob store in the file system. */
export interface BlobLocation {
  directory: string;
  /** `key` in the directory unless given. */
  keyFile?: string | undefined;
}

/** Stores bytes where the workers find them, and returns `sha256:<hex>` of them. */
export interface BlobWriter {
  put(bytes: Uint8Array): Promise<string>;
}

/** Credentials of a caller, and who may do what. */
export interface AccessChoice {
  /** Path of access.yaml: permission is then asked before anything is sent. */
  accessFile?: string | undefined;
  /** The access key itself. */
  accessKey?: string | undefined;
  accessKeyFile?: string | undefined;
  /** File with an OIDC access token; needs `accessFile`. */
  accessTokenFile?: string | undefined;
  /** Database with the access keys, where this side can read it. */
  databaseUrl?: string | undefined;
}

/** Everything is optional: the surroundings decide otherwise. */
export interface OpsClientOptions extends ServerChoice {
  /** A Temporal client of the caller's, which is used and left open. */
  client?: Client;
  /** Key ring that what Temporal stores is sealed with; `HOLDFAST_KEY_RING`, or none. Not for a `client` of the caller's. */
  keyRingFile?: string;
  /** Directory of the sandbox and of the blob store; `HOLDFAST_STATE_DIR`, or `.holdfast` found upwards. */
  stateDirectory?: string;
  /** Blob store that the workers read from: a directory, or whatever stores bytes under their digest. */
  blobs?: BlobLocation | BlobWriter;
  /** Prefix of the task queues; `HOLDFAST_QUEUE_PREFIX`, or `holdfast`. */
  queuePrefix?: string;
  /** Who asks, unless a call says otherwise; `HOLDFAST_ACTOR`, or user and host. */
  actor?: string;
  /** How the caller proves who asks; each field as its `HOLDFAST_ACCESS…` variable. */
  access?: AccessChoice;
  /** Base address of the Temporal UI, for links. */
  uiUrl?: string;
  /** How long a message to a run may take to be answered. */
  messageTimeoutMs?: number;
}

/** Starts, watches and steers runs. */
export interface OpsClient extends AsyncDisposable {
  readonly delivery: { readonly deployService: DeployServiceFacade };
  readonly security: {
    readonly manageAccess: ManageAccessFacade;
    readonly certification: Certification;
  };
  readonly services: Services;
  /** Who asks, unless a call says otherwise. */
  readonly actor: string;
  /** Where this client is connected to. */
  readonly server: { readonly address: string; readonly namespace: string };
  /** Runs of every use case, newest first. */
  listRuns(filter?: RunFilter): Promise<RunSummary[]>;
  /** The Temporal client underneath. */
  readonly temporal: Client;
  close(): Promise<void>;
}

// A worker that is there answers within milliseconds; a restarting one within this.
const defaultMessageTimeoutMs = 30_000;

/**
 * Connects to a Holdfast installation: the Temporal server of the profile or of
 * `TEMPORAL_ADDRESS`, else the sandbox of this directory.
 *
 * @throws TEMPORAL_UNREACHABLE, CONFIGURATION_INVALID
 * @example
 * ```ts
 * import { createOpsClient } from 'holdfast';
 *
 * await using ops = await createOpsClient();
 * const run = await ops.delivery.deployService.getHandle({ environment: 'staging', service: 'shop' });
 * for await (const { progress } of run.watch()) console.log(progress?.status);
 * ```
 */
export const createOpsClient = async (options: OpsClientOptions = {}): Promise<OpsClient> => {
  const surroundings = surroundingsFor(options);
  const caller = await callerOf(options, surroundings);
  const connection = await connect(options, surroundings);
  const { client, namespace } = connection;
  const messageTimeoutMs = options.messageTimeoutMs ?? defaultMessageTimeoutMs;
  const uiUrl = (options.uiUrl ?? surroundings.uiUrl)?.replace(/\/+$/, '');
  const context = {
    client,
    caller,
    messageTimeoutMs,
    queuePrefix: options.queuePrefix ?? surroundings.queuePrefix,
    runUrl: (workflowId: string, runId: string | undefined) => {
      if (uiUrl === undefined) return undefined;
      const run = runId === undefined ? '' : `/${runId}/history`;
      return `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}${run}`;
    },
  };
  const services = createServices(client, caller, messageTimeoutMs);
  let blobs: BlobWriter | undefined;
  const store = async (bytes: Uint8Array): Promise<string> => {
    try {
      blobs ??= blobWriter(options.blobs, surroundings);
      return await blobs.put(bytes);
    } catch (error) {
      throw toOpsError(error);
    }
  };
  const close = async (): Promise<void> => {
    await caller.close();
    await connection.close();
  };
  return {
    delivery: { deployService: createDeployServiceFacade({ context, services, store }) },
    security: {
      manageAccess: createManageAccessFacade(context),
      certification: createCertification(context),
    },
    services,
    actor: caller.actor,
    server: { address: connection.address, namespace },
    listRuns: async (filter = {}) => listRuns(client, filter),
    temporal: client,
    close,
    [Symbol.asyncDispose]: close,
  };
};

const callerOf = async (
  { actor, access = {} }: OpsClientOptions,
  surroundings: Surroundings,
): Promise<Caller> =>
  createCaller({
    surroundings: { ...surroundings, ...access },
    // Of the environment, `--actor` is empty where the variable is.
    namedActor: actor === undefined || actor === '' ? surroundings.namedActor : actor,
  });

const surroundingsFor = ({ stateDirectory }: OpsClientOptions): Surroundings =>
  stateDirectory === undefined ? readSurroundings() : readSurroundings({ stateDirectory });

const blobWriter = (
  given: OpsClientOptions['blobs'],
  { blobEnvironment }: Surroundings,
): BlobWriter => {
  if (given !== undefined && 'put' in given) return given;
  if (given !== undefined) return createFilesystemBlobStore(given);
  const settings = blobSettingsOf(blobEnvironment);
  if (settings === undefined) throw new Error('the surroundings name no blob store');
  const keys = keyManagementOf(blobEnvironment);
  return openBlobStore(settings, keys === undefined ? undefined : openKeyManagement(keys));
};

const connect = async (options: OpsClientOptions, surroundings: Surroundings) => {
  if (options.client === undefined) {
    const { sandbox } = surroundings;
    const keyRingFile = options.keyRingFile ?? surroundings.keyRingFile;
    return openConnection(options, { sandbox, keyRingFile });
  }
  const { client } = options;
  const { namespace } = client.options;
  return { client, namespace, address: options.address ?? '', close: async () => undefined };
};
