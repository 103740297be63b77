import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { createOpsClient, type AccessChoice, type OpsClient } from '../../../client/index.ts';
import { openIdentity } from '../../../workers/access.ts';
import { readConfig } from '../../../workers/config.ts';
import { createAccessFolder, type AccessFolder } from '../../setup/access-folder.ts';
import type { World } from '../../workflow/delivery/release-server.ts';
import { startFacadeServer, type FacadeServer } from './facade-server.ts';

/** A server whose workers check every sender, and the files by which they do. */
export interface AccessServer extends FacadeServer {
  readonly folder: AccessFolder;
  /** A client as someone of the directory has it: with a key, and with the access configuration. */
  as(world: World, name: string): Promise<OpsClient>;
  /** The same without the access configuration: nothing is asked before something is sent. */
  bypassing(world: World, name: string): Promise<OpsClient>;
  /** A client with exactly this. */
  with(world: World, access: AccessChoice): Promise<OpsClient>;
}

export const startAccessServer = async (
  changes: Record<string, unknown> = {},
): Promise<AccessServer> => {
  const folder = createAccessFolder(changes);
  const env = { HOLDFAST_POOLS: 'orchestration', HOLDFAST_ACCESS: folder.file };
  const { identity, warrants, close } = await openIdentity(readConfig(env));
  const server = await startFacadeServer({ identity, warrants });
  const keys = new Map<string, string>();
  const keyOf = async (name: string): Promise<string> => {
    const text = keys.get(name) ?? (await folder.keyFor(name)).text;
    keys.set(name, text);
    return text;
  };
  const connect = async (world: World, access: AccessChoice): Promise<OpsClient> =>
    createOpsClient({
      client: server.env.client,
      queuePrefix: server.prefix,
      blobs: world.cluster.blobs,
      messageTimeoutMs: 10_000,
      access: { databaseUrl: undefined, ...access },
    });
  return {
    ...server,
    folder,
    with: connect,
    as: async (world, name) =>
      connect(world, { accessFile: folder.file, accessKey: await keyOf(name) }),
    bypassing: async (world, name) => connect(world, { accessKey: await keyOf(name) }),
    stop: async () => {
      await server.stop();
      await close();
      folder.remove();
    },
  };
};

/** The code and the text with which a worker refused an update or a run. */
export const refusalOf = async (
  call: Promise<unknown>,
): Promise<{ code: string; message: string }> => {
  const error: unknown = await call.then(
    () => new Error('it was taken'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowFailedError) {
    const { cause } = error;
    if (cause instanceof ApplicationFailure) {
      return { code: String(cause.type), message: cause.message };
    }
  }
  throw error;
};
