import { codedErrorOf } from '../activities/coded-failure.ts';
import { createUnverifiedIdentity } from '../activities/identity/unverified-identity.ts';
import type { Identity } from '../activities/identity/port.ts';
import type { WorkerConfig } from './config.ts';
import { StartError } from './start-error.ts';

/** Who checks senders of messages and starts of runs in this worker. */
export interface OpenIdentity {
  identity: Identity;
  close: () => Promise<void>;
}

/**
 * By the access configuration of this worker alone: nothing that a run or a message carries can
 * switch it off. Without one everyone is taken at their word, and the evidence says so.
 *
 * @throws StartError if the configuration cannot be used
 */
export const openIdentity = async ({
  accessFile,
  databaseUrl,
  pools,
}: WorkerConfig): Promise<OpenIdentity> => {
  if (accessFile === undefined || !pools.includes('orchestration')) return unverified();
  // Loaded on demand: policies and tokens cost a worker without them nothing.
  const access = await import('../activities/identity/index.ts');
  const settings = access.openAccessSettings(accessFile);
  try {
    await settings();
  } catch (error) {
    const coded = codedErrorOf(error);
    throw coded === undefined ? error : new StartError(coded.code, coded.message);
  }
  const tokens = access.createOidcTokens();
  if (databaseUrl === undefined) {
    const keysOf = ({ keysFile }: { keysFile: string }) =>
      access.createFilesystemAccessKeys(keysFile);
    const gate = access.createAccessGate({ settings, keysOf, tokens });
    return { ...unverified(), identity: access.createVerifiedIdentity({ gate }) };
  }
  const { createPostgresAccessKeys, openStore } =
    await import('../activities/store/postgres/index.ts');
  const store = openStore(databaseUrl);
  const keys = createPostgresAccessKeys({ store });
  const gate = access.createAccessGate({ settings, keysOf: () => keys, tokens });
  return {
    identity: access.createVerifiedIdentity({ gate }),
    close: async () => store.close(),
  };
};

const unverified = (): OpenIdentity => ({
  identity: createUnverifiedIdentity(),
  close: async () => undefined,
});
