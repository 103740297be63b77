import { codedErrorOf, codedFailure } from '../activities/coded-failure.ts';
import type * as Access from '../activities/identity/index.ts';
import type { AccessGate, Warrants } from '../activities/identity/index.ts';
import { createUnverifiedIdentity } from '../activities/identity/unverified-identity.ts';
import type { Identity } from '../activities/identity/port.ts';
import type { AccessGrants } from '../domain/security/access-grant.ts';
import type { WorkerConfig } from './config.ts';
import { StartError } from './start-error.ts';

/** Who checks senders of messages and starts of runs in this worker. */
export interface OpenIdentity {
  identity: Identity;
  /** Checks what runs show with their writes; absent where everyone is taken at their word. */
  warrants?: Warrants;
  /** Absent where everyone is taken at their word. */
  gate?: AccessGate;
  close: () => Promise<void>;
}

/**
 * By the access configuration of this worker alone: nothing that a run or a message carries can
 * switch it off. Without one everyone is taken at their word, and the evidence says so.
 *
 * @throws StartError if the configuration cannot be used, or needs a database and none is named
 */
export const openIdentity = async ({
  accessFile,
  databaseUrl,
  pools,
}: WorkerConfig): Promise<OpenIdentity> => {
  if (accessFile === undefined || !checkingPools.some((pool) => pools.includes(pool))) {
    return { identity: createUnverifiedIdentity(), close: async () => undefined };
  }
  // Loaded on demand: policies and tokens cost a worker without them nothing.
  const access = await import('../activities/identity/index.ts');
  if (databaseUrl === undefined) {
    const gate = access.openAccessGate(accessFile, {
      ...{ grants: grantsWithoutDatabase, namesWhoMay: false },
    });
    const { managed } = await usableSettings(gate);
    if (managed !== undefined) throw startError(missingDatabase());
    return { ...checksBy(access, gate), close: async () => undefined };
  }
  const { openAccessDatabase } = await import('../activities/store/postgres/index.ts');
  const { close, ...stored } = openAccessDatabase(databaseUrl);
  const gate = access.openAccessGate(accessFile, { ...stored, namesWhoMay: false });
  await usableSettings(gate);
  return { ...checksBy(access, gate), close };
};

/** The pool that hears people, and the one that writes for them. */
const checkingPools = ['orchestration', 'kubernetes'] as const;

const usableSettings = async (gate: AccessGate): ReturnType<AccessGate['settings']> => {
  try {
    return await gate.settings();
  } catch (error) {
    throw startError(error);
  }
};

const startError = (error: unknown): unknown => {
  const coded = codedErrorOf(error);
  return coded === undefined ? error : new StartError(coded.code, coded.message);
};

const checksBy = (
  { createVerifiedIdentity, createWarrants }: typeof Access,
  gate: AccessGate,
): Required<Omit<OpenIdentity, 'close'>> => ({
  identity: createVerifiedIdentity({ gate }),
  warrants: createWarrants({ gate }),
  gate,
});

const missingDatabase = (): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message:
      'access.yaml has a section `managed`: roles are given in a database, and DATABASE_URL is not set. Nobody is let in.',
    next: 'Set DATABASE_URL for the workers, or take the section out.',
    subject: 'DATABASE_URL',
  });

const refuse = async (): Promise<never> => Promise.reject(missingDatabase());

/** The section may come while the worker runs: then nobody is let in, rather than by half of the roles. */
const grantsWithoutDatabase: AccessGrants = {
  current: refuse,
  written: refuse,
  at: refuse,
  write: refuse,
};
