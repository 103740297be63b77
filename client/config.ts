import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { KeyEnvironment } from '../activities/encryption/open-key-management.ts';
import type { BlobEnvironment } from '../activities/store/blob-settings.ts';
import { defaultQueuePrefix } from '../domain/shared/task-queue.ts';
import { OpsError } from './ops-error.ts';

/** What the client reads from `<state>/sandbox.json`; the sandbox writes more. */
const SandboxRecord = z.object({
  stateDirectory: z.string(),
  level: z.union([z.literal(1), z.literal(2)]).optional(),
  levelReason: z.string().optional(),
  temporal: z.object({ address: z.string(), namespace: z.string(), uiUrl: z.string().optional() }),
  postgres: z.object({ urlPath: z.string() }).optional(),
  gateway: z.object({ url: z.string() }).optional(),
});

export type SandboxRecord = z.output<typeof SandboxRecord>;

/** Settings of the client that come from its surroundings; each can be given as an option instead. */
export interface Surroundings {
  /** Directory with sandbox record, blobs and key; `.holdfast` beside the project unless set. */
  stateDirectory: string;
  sandbox: SandboxRecord | undefined;
  /** Settings of the blob store, which is shared with the workers; a directory unless set. */
  blobEnvironment: BlobEnvironment & KeyEnvironment;
  /** Database of the store: that of the sandbox unless set. Holds a password. */
  databaseUrl: string | undefined;
  /** Keys that what Temporal stores is sealed with; without it nothing is sealed. */
  keyRingFile: string | undefined;
  /** Who may do what; without it this side asks nobody. */
  accessFile: string | undefined;
  /** Access key of the caller, itself or in a file. A secret. */
  accessKey: string | undefined;
  accessKeyFile: string | undefined;
  /** File with an OIDC access token, instead of a key. */
  accessTokenFile: string | undefined;
  queuePrefix: string;
  /** Who asks, unless a message says otherwise. */
  actor: string;
  /** The actor, where one was named. */
  namedActor: string | undefined;
  /** Environment that a command means when `-e` is absent. */
  environment: string | undefined;
  /** Base address of the Temporal UI, for links. */
  uiUrl: string | undefined;
}

/** What is looked at; the process itself unless given. */
export interface SurroundingsSource {
  env?: NodeJS.ProcessEnv;
  workingDirectory?: string;
  stateDirectory?: string;
}

const stateName = '.holdfast';

/**
 * Reads `HOLDFAST_*` variables and the record of a running sandbox, which is looked
 * for in `HOLDFAST_STATE_DIR` or in `.holdfast` of the working directory and above.
 *
 * @throws CONFIGURATION_INVALID if the record is there and unreadable
 */
export const readSurroundings = ({
  env = process.env,
  workingDirectory = process.cwd(),
  stateDirectory: named,
}: SurroundingsSource = {}): Surroundings => {
  const stateDirectory = named ?? findStateDirectory(env, workingDirectory);
  const sandbox = readSandboxRecord(stateDirectory);
  const value = (name: string, fallback: string): string => env[name] ?? fallback;
  const set = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  return {
    stateDirectory,
    blobEnvironment: {
      ...env,
      HOLDFAST_BLOBS: value('HOLDFAST_BLOBS', path.join(stateDirectory, 'blobs')),
    },
    databaseUrl: databaseUrlOf(env, sandbox),
    keyRingFile: set('HOLDFAST_KEY_RING'),
    accessFile: set('HOLDFAST_ACCESS'),
    accessKey: set('HOLDFAST_ACCESS_KEY'),
    accessKeyFile: set('HOLDFAST_ACCESS_KEY_FILE'),
    accessTokenFile: set('HOLDFAST_ACCESS_TOKEN_FILE'),
    namedActor: set('HOLDFAST_ACTOR'),
    queuePrefix: value('HOLDFAST_QUEUE_PREFIX', defaultQueuePrefix),
    actor: value('HOLDFAST_ACTOR', `${userName(env)}@${os.hostname()}`),
    sandbox,
    environment: env['HOLDFAST_ENVIRONMENT'],
    uiUrl: env['HOLDFAST_TEMPORAL_UI_URL'] ?? sandbox?.temporal.uiUrl,
  };
};

const findStateDirectory = (env: NodeJS.ProcessEnv, workingDirectory: string): string => {
  const named = env['HOLDFAST_STATE_DIR'];
  if (named !== undefined && named !== '') return path.resolve(workingDirectory, named);
  let directory = path.resolve(workingDirectory);
  for (;;) {
    const candidate = path.join(directory, stateName);
    if (textOf(path.join(candidate, 'sandbox.json')) !== undefined) return candidate;
    const parent = path.dirname(directory);
    if (parent === directory) return path.join(path.resolve(workingDirectory), stateName);
    directory = parent;
  }
};

const readSandboxRecord = (stateDirectory: string): SandboxRecord | undefined => {
  const file = path.join(stateDirectory, 'sandbox.json');
  const text = textOf(file);
  if (text === undefined) return undefined;
  try {
    return SandboxRecord.parse(JSON.parse(text));
  } catch (cause) {
    throw new OpsError(
      {
        code: 'CONFIGURATION_INVALID',
        message: `${file} is not a sandbox record. Nothing was done.`,
        next: 'Run `holdfast sandbox down` and `holdfast sandbox up` to write it anew.',
        subject: file,
      },
      { cause },
    );
  }
};

/** Set to nothing it means: no database, also where the sandbox has one. */
const databaseUrlOf = (
  env: NodeJS.ProcessEnv,
  sandbox: SandboxRecord | undefined,
): string | undefined => {
  const named = env['DATABASE_URL'];
  if (named !== undefined) return named === '' ? undefined : named;
  return sandbox?.postgres === undefined ? undefined : textOf(sandbox.postgres.urlPath)?.trim();
};

const textOf = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};

const userName = (env: NodeJS.ProcessEnv): string => {
  try {
    return os.userInfo().username;
  } catch {
    // A container may run under a user id that has no name.
    return env['USER'] ?? 'unknown';
  }
};
