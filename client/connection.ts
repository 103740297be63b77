import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type ConnectionOptions,
} from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import { createPayloadCodec, openKeyRing } from '../activities/encryption/index.ts';
import { toOpsError } from './error-translation.ts';
import { OpsError } from './ops-error.ts';
import type { SandboxRecord } from './config.ts';

const defaultAddress = '127.0.0.1:7233';
const defaultNamespace = 'default';
// A server that is there answers at once; five seconds are for a busy one.
const connectTimeoutMs = 5_000;

/** Which Temporal server to talk to; the rest comes from the profile, the environment or the sandbox. */
export interface ServerChoice {
  /** `host:port` of the Temporal frontend. */
  address?: string;
  namespace?: string;
  /** Profile in the configuration file of the `temporal` command. */
  profile?: string;
}

/** What of the surroundings decides how to speak to the server. */
export interface ConnectionSurroundings {
  sandbox: SandboxRecord | undefined;
  keyRingFile: string | undefined;
}

export interface OpenConnection {
  client: Client;
  address: string;
  namespace: string;
  close: () => Promise<void>;
}

/**
 * Connects to the first of: the address given, the profile or `TEMPORAL_ADDRESS`, the
 * sandbox of this directory, a server on the default port. What is sent is sealed with the key
 * ring, if there is one.
 *
 * @throws TEMPORAL_UNREACHABLE, CONFIGURATION_INVALID
 */
export const openConnection = async (
  choice: ServerChoice,
  { sandbox, keyRingFile }: ConnectionSurroundings,
): Promise<OpenConnection> => {
  const { options, namespace } = connectionOptions(choice, sandbox);
  const payloadCodecs = [await openCodec(keyRingFile)];
  const address = options.address ?? defaultAddress;
  try {
    const life = { isClosed: false };
    const connection = await Connection.connect({
      connectTimeout: connectTimeoutMs,
      ...options,
      interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), endsWith(life)],
    });
    const client = new Client({ connection, namespace, dataConverter: { payloadCodecs } });
    const close = async (): Promise<void> => {
      life.isClosed = true;
      await connection.close();
    };
    return { client, address, namespace, close };
  } catch (error) {
    throw unreachable(error, address);
  }
};

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/** What is used here of the types of gRPC, which are not ours to import. */
interface CallMetadata {
  clone(): CallMetadata;
  getMap(): object;
  remove(key: string): void;
}
interface CallListener {
  onReceiveMessage?(message: null): void;
  onReceiveStatus?(status: { code: number; details: string; metadata: CallMetadata }): void;
}

const cancelledStatus = 1;

/**
 * The SDK tries a failed call again from a timer. On a connection that was closed meanwhile that call
 * throws there, where nobody can catch it, and ends the process: it is answered here instead.
 */
const endsWith = (life: { isClosed: boolean }): Interceptor => {
  const nothing = (): void => undefined;
  const answered = {
    start: (request: CallMetadata, listener?: CallListener) => {
      listener?.onReceiveMessage?.(null);
      // It becomes part of an error, and that of the request has the credentials in it.
      const metadata = request.clone();
      for (const key of Object.keys(metadata.getMap())) metadata.remove(key);
      const details = 'the client was closed';
      listener?.onReceiveStatus?.({ code: cancelledStatus, details, metadata });
    },
    ...{ sendMessage: nothing, sendMessageWithContext: nothing, startRead: nothing },
    ...{ halfClose: nothing, cancelWithStatus: nothing },
    ...{ getPeer: () => '', getAuthContext: () => null },
  };
  const guard = (...[options, nextCall]: Parameters<Interceptor>): object =>
    life.isClosed ? answered : nextCall(options);
  // Declared to return a class, of which callers use the interface only.
  return guard as unknown as Interceptor;
};

/** Without a ring it refuses what is sealed by the name of the key. */
const openCodec = async (keyRingFile: string | undefined): Promise<PayloadCodec> => {
  try {
    const ring = keyRingFile === undefined ? undefined : await openKeyRing(keyRingFile);
    return createPayloadCodec(ring);
  } catch (error) {
    throw toOpsError(error);
  }
};

const connectionOptions = (
  choice: ServerChoice,
  sandbox: SandboxRecord | undefined,
): { options: ConnectionOptions; namespace: string } => {
  const configured = loadProfile(choice.profile);
  const address = choice.address ?? configured.address;
  const namespace = choice.namespace ?? configured.namespace;
  // The sandbox's namespace belongs to its server, so a server named elsewhere does not get it.
  const embedded = { address: defaultAddress, namespace: defaultNamespace, ...sandbox?.temporal };
  if (address === undefined) {
    const options = { ...configured.options, address: embedded.address };
    return { options, namespace: namespace ?? embedded.namespace };
  }
  return { options: { ...configured.options, address }, namespace: namespace ?? defaultNamespace };
};

interface LoadedProfile {
  options: ConnectionOptions;
  address: string | undefined;
  namespace: string | undefined;
}

const loadProfile = (profile: string | undefined): LoadedProfile => {
  try {
    const loaded = loadClientConfigProfile(profile === undefined ? {} : { profile });
    const { connectionOptions: native } = toClientOptions(loaded);
    const { tls, apiKey, metadata } = native;
    const options: ConnectionOptions = {
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata: metadata }),
    };
    return { options, address: loaded.address, namespace: loaded.namespace };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OpsError(
      { code: 'CONFIGURATION_INVALID', message: `The Temporal profile cannot be read: ${reason}` },
      { cause },
    );
  }
};

const unreachable = (error: unknown, address: string): OpsError => {
  const translated = toOpsError(error, { address });
  if (translated.code !== 'INTERNAL') return translated;
  return new OpsError(
    {
      code: 'TEMPORAL_UNREACHABLE',
      message: `The Temporal server at ${address} does not answer: ${translated.message}`,
      subject: address,
    },
    { cause: error },
  );
};
