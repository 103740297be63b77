import { codedErrorOf } from '../activities/coded-failure.ts';
import type * as Access from '../activities/identity/index.ts';
import type { AccessGate, Warrants } from '../activities/identity/index.ts';
import { createUnverifiedIdentity } from '../activities/identity/unverified-identity.ts';
import type { Identity } from '../activities/identity/port.ts';
import type { WorkerConfig } from './config.ts';
import { StartError } from './start-error.ts';

/** Who checks senders of messages and starts of runs in this worker. */
export interface OpenIdentity {
  identity: Identity;
  /** Checks what runs show with their writes; absent where everyone is taken at their word. */
  warrants?: Warrants;
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
  if (accessFile === undefined || !checkingPools.some((pool) => pools.includes(pool))) {
    return unverified();
  }
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
    return { ...unverified(), ...checksBy(access, gate) };
  }
  const { createPostgresAccessKeys, openStore } =
    await import('../activities/store/postgres/index.ts');
  const store = openStore(databaseUrl);
  const keys = createPostgresAccessKeys({ store });
  const gate = access.createAccessGate({ settings, keysOf: () => keys, tokens });
  return { ...checksBy(access, gate), close: async () => store.close() };
};

/** The pool that hears people, and the one that writes for them. */
const checkingPools = ['orchestration', 'kubernetes'] as const;

const checksBy = (
  { createVerifiedIdentity, createWarrants }: typeof Access,
  gate: AccessGate,
): Required<Pick<OpenIdentity, 'identity' | 'warrants'>> => ({
  identity: createVerifiedIdentity({ gate }),
  warrants: createWarrants({ gate }),
});

const unverified = (): OpenIdentity => ({
  identity: createUnverifiedIdentity(),
  close: async () => undefined,
});
