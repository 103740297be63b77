import { randomBytes } from 'node:crypto';
import type * as IdentityModule from '../activities/identity/index.ts';
import type { AccessGate, AccessKey } from '../activities/identity/index.ts';
import type { AccessKeyEntry, AccessKeys } from '../domain/security/access-key.ts';
import type { WantedApproval } from '../domain/security/approval.ts';
import type { PermissionQuestion, Person } from '../domain/security/permission.ts';
import { writeCommand, writeProof } from '../domain/security/signed-command.ts';
import type { Surroundings } from './config.ts';
import { toOpsError } from './error-translation.ts';
import { OpsError } from './ops-error.ts';

/** One action on one run, to be proven. */
export interface CommandDraft {
  workflowId: string;
  /** Absent for a start and for an entity. */
  runId?: string;
  action: string;
  planDigest?: string;
  /** The whole message or input; each byte of it is part of the proof. */
  content: unknown;
  lifetimeMs?: number;
}

/** Who calls: asks for permission before anything is sent, and proves what is sent. */
export interface Caller {
  readonly actor: string;
  /** False where neither key nor token is configured: then nothing is asked and nothing proven. */
  readonly isProven: boolean;
  /**
   * @param approvals that a start will wait for
   * @throws IDENTITY_UNPROVEN, PERMISSION_DENIED; INVALID_INPUT for approvals that nobody could give
   */
  permit(
    actor: string,
    question: PermissionQuestion,
    approvals?: readonly WantedApproval[],
  ): Promise<void>;
  /** Undefined where there is neither key nor token. */
  prove(draft: CommandDraft): Promise<string | undefined>;
  close(): Promise<void>;
}

type Identity = typeof IdentityModule;

/** As the surroundings say, with an actor that was named on top of them. */
export interface CallerChoice {
  surroundings: Surroundings;
  namedActor: string | undefined;
}

// An operator who reads, decides and sends needs seconds; a copy is worthless soon after.
const defaultLifetimeMs = 300_000;
const nonceBytes = 16;

/**
 * The caller of this process. Policies and tokens are loaded only where they are configured.
 *
 * @throws CONFIGURATION_INVALID, IDENTITY_UNPROVEN if someone else is named than the key is of
 */
export const createCaller = async (choice: CallerChoice): Promise<Caller> => {
  const { accessFile, accessKey, accessKeyFile, accessTokenFile, actor } = choice.surroundings;
  const isBare = [accessFile, accessKey, accessKeyFile, accessTokenFile].every(
    (setting) => setting === undefined,
  );
  if (isBare) return trustedCaller(choice.namedActor ?? actor);
  try {
    return await provenCaller(choice);
  } catch (error) {
    throw toOpsError(error);
  }
};

/** Taken at their word, as by workers without an access configuration. */
export const trustedCaller = (actor: string): Caller => ({
  actor,
  isProven: false,
  permit: async () => undefined,
  prove: async () => undefined,
  close: async () => undefined,
});

interface Credential {
  /** Who it is of; undefined where only a token could tell. */
  holder: string | undefined;
  key?: AccessKey;
  token?: string;
}

const provenCaller = async ({ surroundings, namedActor }: CallerChoice): Promise<Caller> => {
  const identity = await import('../activities/identity/index.ts');
  const credential = await readCredential(identity, surroundings);
  const opened = await openGate(identity, surroundings);
  const person = await personOfToken(opened?.gate, credential);
  const holder = credential.holder ?? person?.name;
  if (holder !== undefined) refuseOther(namedActor, holder);
  return {
    actor: holder ?? namedActor ?? surroundings.actor,
    isProven: holder !== undefined,
    async permit(actor, question, approvals = []) {
      if (holder === undefined) throw withoutCredential();
      refuseOther(actor, holder);
      if (opened === undefined) return;
      const { gate } = opened;
      await coded(async () => {
        const known = person ?? (await personOfKey(gate, credential, question));
        await permitHere(gate, known, question);
        await identity.refuseUnreachable(gate, { approvals, question, atMs: Date.now() });
      });
    },
    prove: async (draft) => {
      if (holder === undefined) return undefined;
      return coded(async () => proofOf(identity, { draft, credential, gate: opened?.gate }));
    },
    close: async () => opened?.close(),
  };
};

interface OpenGate {
  gate: AccessGate;
  close(): Promise<void>;
}

const openGate = async (
  identity: Identity,
  { accessFile, databaseUrl }: Surroundings,
): Promise<OpenGate | undefined> => {
  if (accessFile === undefined) return undefined;
  if (databaseUrl === undefined) {
    return { gate: identity.openAccessGate(accessFile), close: async () => undefined };
  }
  const { openAccessDatabase } = await import('../activities/store/postgres/index.ts');
  const { close, ...stored } = openAccessDatabase(databaseUrl);
  return { gate: identity.openAccessGate(accessFile, stored), close };
};

const readCredential = async (
  identity: Identity,
  { accessKey, accessKeyFile, accessTokenFile }: Surroundings,
): Promise<Credential> => {
  const text = accessKey ?? (await identity.readSecretFile(accessKeyFile));
  if (text !== undefined) {
    const key = identity.readAccessKey(text);
    return { holder: key.holder, key };
  }
  const token = (await identity.readSecretFile(accessTokenFile))?.trim();
  return { holder: undefined, ...(token === undefined ? {} : { token }) };
};

const personOfToken = async (
  gate: AccessGate | undefined,
  { token }: Credential,
): Promise<Person | undefined> => {
  if (token === undefined) return undefined;
  if (gate === undefined) throw needsAccessFile();
  return gate.holderOfToken(token, Date.now());
};

/**
 * What this side can know of its own key. Where the keys are is not for every caller to read: then
 * the run decides alone.
 */
const personOfKey = async (
  gate: AccessGate,
  { key, holder }: Credential,
  { action, environment }: PermissionQuestion,
): Promise<Person> => {
  const id = key?.id ?? '';
  const keys = await gate.keys();
  const looked = await lookUp(keys, id).catch(() => 'elsewhere' as const);
  if (looked === 'elsewhere') return gate.personNamed(holder ?? '');
  return gate.holderOfKey(looked, { id, action, environment, atMs: Date.now() });
};

/**
 * Roles that were given may be where this side cannot read them. A yes is a yes without them; a no
 * would keep out someone whom the run lets in.
 */
const permitHere = async (
  gate: AccessGate,
  person: Person,
  question: PermissionQuestion,
): Promise<void> => {
  try {
    await gate.permit(person, question, Date.now());
  } catch (error) {
    const isRefused = toOpsError(error).code === 'PERMISSION_DENIED';
    if (!isRefused || (await gate.knowsAllGrants())) throw error;
  }
};

/** A place without a single key is not the one that workers read. */
const lookUp = async (
  keys: AccessKeys,
  id: string,
): Promise<AccessKeyEntry | undefined | 'elsewhere'> => {
  const found = await keys.find(id);
  return found === undefined && (await keys.list()).length === 0 ? 'elsewhere' : found;
};

interface ProofParts {
  draft: CommandDraft;
  credential: Credential;
  gate: AccessGate | undefined;
}

const proofOf = async (
  identity: Identity,
  { draft, credential, gate }: ProofParts,
): Promise<string> => {
  const { content, lifetimeMs = defaultLifetimeMs, ...where } = draft;
  const issuedAtMs = Date.now();
  const command = writeCommand({
    ...where,
    contentDigest: identity.contentDigestOf(content),
    nonce: randomBytes(nonceBytes).toString('base64url'),
    issuedAtMs,
    expiresAtMs: issuedAtMs + lifetimeMs,
  });
  const { key, token = '' } = credential;
  if (key !== undefined) {
    return writeProof({ command, key: key.id, signature: identity.signCommand(key, command) });
  }
  const { sealingPublicKey } = (await gate?.settings()) ?? {};
  if (sealingPublicKey === undefined) throw needsAccessFile();
  return writeProof({
    command,
    sealed: await identity.sealToken(sealingPublicKey, { command, token }),
  });
};

const refuseOther = (named: string | undefined, holder: string): void => {
  if (named === undefined || named === holder) return;
  throw new OpsError({
    code: 'IDENTITY_UNPROVEN',
    message: `The access key or token is of ${holder}; nobody can act as ${named} with it. Nothing was sent.`,
    next: `Leave out --actor and HOLDFAST_ACTOR, or use the key of ${named}.`,
  });
};

const withoutCredential = (): OpsError =>
  new OpsError({
    code: 'IDENTITY_UNPROVEN',
    message: 'Neither an access key nor an access token is set. Nothing was sent.',
  });

const needsAccessFile = (): OpsError =>
  new OpsError({
    code: 'CONFIGURATION_INVALID',
    message: 'An access token needs an access configuration with `sealing`. Nothing was sent.',
    next: 'Set HOLDFAST_ACCESS to the access.yaml that the workers use.',
    subject: 'HOLDFAST_ACCESS',
  });

const coded = async <Outcome>(work: () => Promise<Outcome>): Promise<Outcome> => {
  try {
    return await work();
  } catch (error) {
    throw toOpsError(error);
  }
};
