import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { codedErrorOf } from '../activities/coded-failure.ts';
import { blobSettingsOf, type BlobSettings } from '../activities/store/blob-settings.ts';
import { readDatabaseUrl } from '../activities/database-url.ts';
import type { TimeoutProfile } from '../activities/contracts/port.ts';
import { keyManagementOf } from '../activities/encryption/index.ts';
import type { KeyManagementSettings } from '../activities/encryption/open-key-management.ts';
import { EnvironmentsFile } from '../contracts/shared/environments-file.ts';
import { inputProblems } from '../contracts/shared/input-problems.ts';
import type { Pool } from '../contracts/shared/define-contract.ts';
import { defaultQueuePrefix } from '../domain/shared/task-queue.ts';
import { auditConfig, type AuditConfig } from './audit-config.ts';
import { codecConfig, requireCodecSettings, type CodecConfig } from './codec-config.ts';
import { orProblem } from './setting-problems.ts';
import { StartError } from './start-error.ts';

export const poolNames = [
  'orchestration',
  'kubernetes',
  'traffic',
  'notify',
] as const satisfies Pool[];

/** Settings of a worker process, checked. */
export interface WorkerConfig {
  pools: readonly Pool[];
  /** Prefix of all task queues; two installations on one server differ in it. */
  queuePrefix: string;
  timeoutProfile: TimeoutProfile;
  /** Read once at the start; empty where no pool of this process needs it. */
  environments: EnvironmentsFile;
  /** Relative paths in environments.yaml start here. */
  environmentsDirectory: string;
  /** Where blobs are, and their key. Present where the pool `kubernetes` runs. */
  blobs: BlobSettings | undefined;
  /** Who keeps the keys of blobs; without it they are sealed with the key of a file. */
  blobKeys: KeyManagementSettings | undefined;
  /** Directory of the blobs, where they are in one. */
  blobsDirectory: string | undefined;
  /** Database of the store; without one its records are files beside the blobs. */
  databaseUrl: string | undefined;
  /** Bundle of the workflows, built before; without it they are bundled at the start. */
  workflowBundlePath: string | undefined;
  /** Where people see runs, for links in notifications; without it there are none. */
  temporalUiUrl: string | undefined;
  health: { host: string; port: number };
  /** Who may do what; without it every sender is taken at their word. */
  accessFile: string | undefined;
  /** Keys that payloads are sealed with; without it nothing is sealed. */
  keyRingFile: string | undefined;
  audit: AuditConfig;
  /** Present where this process opens payloads for the Temporal UI. */
  codec: CodecConfig | undefined;
  logLevel: string;
  temporal: ClientConnectConfig;
}

/** Beside the blobs in their store: what outlives runs. */
export const releaseRecordsIn = (blobsDirectory: string): string =>
  path.join(blobsDirectory, 'releases');

const unset = (value: unknown): unknown => (value === '' ? undefined : value);
const optionalText = z.preprocess(unset, z.string().optional());

const PoolList = z.string().transform((text, context) => {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !poolNames.some((pool) => pool === name));
  if (unknown.length > 0) {
    const message = `there is no pool ${unknown.join(', ')}; pools are ${poolNames.join(', ')}`;
    context.addIssue({ code: 'custom', message });
  }
  return poolNames.filter((pool) => names.includes(pool));
});

const Port = z
  .string()
  .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, 'must be a port: 0 to 65535')
  .transform(Number);

const Origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    'must be scheme, host and port of the Temporal UI, such as http://127.0.0.1:8233',
  );

const Settings = z.object({
  HOLDFAST_POOLS: z.preprocess(unset, PoolList.default([...poolNames])),
  HOLDFAST_QUEUE_PREFIX: z.preprocess(
    unset,
    z
      .string()
      .regex(/^[a-z0-9][-a-z0-9]{0,60}$/, 'must be lower-case letters, digits and hyphens')
      .default(defaultQueuePrefix),
  ),
  HOLDFAST_TIMEOUTS: z.preprocess(unset, z.enum(['standard', 'test']).default('standard')),
  HOLDFAST_ENVIRONMENTS: optionalText,
  HOLDFAST_BLOBS: optionalText,
  HOLDFAST_BLOB_KEY_FILE: optionalText,
  HOLDFAST_BLOB_KEYS: optionalText,
  VAULT_TOKEN: optionalText,
  AWS_ACCESS_KEY_ID: optionalText,
  AWS_SECRET_ACCESS_KEY: optionalText,
  AWS_SESSION_TOKEN: optionalText,
  AWS_REGION: optionalText,
  DATABASE_URL: optionalText,
  HOLDFAST_WORKFLOW_BUNDLE: optionalText,
  HOLDFAST_TEMPORAL_UI_URL: z.preprocess(
    unset,
    z.url({ protocol: /^https?$/, error: 'must be an address of http or https' }).optional(),
  ),
  HOLDFAST_HEALTH_HOST: z.preprocess(unset, z.string().default('127.0.0.1')),
  HOLDFAST_HEALTH_PORT: z.preprocess(unset, Port.default(0)),
  HOLDFAST_AUDIT_KEY: optionalText,
  HOLDFAST_AUDIT_EXPORT: optionalText,
  HOLDFAST_AUDIT_HEAD_EVERY_MS: z.preprocess(
    unset,
    z.coerce.number().int().min(100, 'must be 100 or more milliseconds').default(60_000),
  ),
  HOLDFAST_ACCESS: optionalText,
  HOLDFAST_KEY_RING: optionalText,
  HOLDFAST_CODEC_HOST: z.preprocess(unset, z.string().default('127.0.0.1')),
  HOLDFAST_CODEC_PORT: z.preprocess(unset, Port.optional()),
  HOLDFAST_CODEC_ORIGIN: z.preprocess(unset, Origin.optional()),
  HOLDFAST_CODEC_TOKENS: optionalText,
  HOLDFAST_LOG_LEVEL: z.preprocess(
    unset,
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  ),
});

type Settings = z.output<typeof Settings>;

/**
 * Reads the settings of a worker from its environment.
 *
 * @throws StartError that names every setting which is missing or wrong
 */
export const readConfig = (env: NodeJS.ProcessEnv = process.env): WorkerConfig => {
  const problems: string[] = [];
  const settings = readSettings(env, problems);
  const temporal = readConnection(env, problems);
  const environments = readEnvironments(settings.HOLDFAST_ENVIRONMENTS, problems);
  const { blobsDirectory } = orProblem(() => blobConfig(settings), []) ?? {};
  const audit = auditConfig({ ...settings, blobsDirectory }, problems);
  if (problems.length > 0) {
    const what = 'The worker was not started, these settings are wrong:';
    throw new StartError('CONFIGURATION_INVALID', what, problems);
  }
  return {
    pools: settings.HOLDFAST_POOLS,
    queuePrefix: settings.HOLDFAST_QUEUE_PREFIX,
    timeoutProfile: settings.HOLDFAST_TIMEOUTS,
    environments,
    environmentsDirectory: path.resolve(
      path.dirname(settings.HOLDFAST_ENVIRONMENTS ?? 'environments.yaml'),
    ),
    ...blobConfig(settings),
    blobKeys: keyManagementOf(settings),
    databaseUrl: settings.DATABASE_URL,
    workflowBundlePath: settings.HOLDFAST_WORKFLOW_BUNDLE,
    temporalUiUrl: settings.HOLDFAST_TEMPORAL_UI_URL,
    health: { host: settings.HOLDFAST_HEALTH_HOST, port: settings.HOLDFAST_HEALTH_PORT },
    accessFile: settings.HOLDFAST_ACCESS,
    keyRingFile: settings.HOLDFAST_KEY_RING,
    audit,
    codec: codecConfig(settings),
    logLevel: settings.HOLDFAST_LOG_LEVEL,
    temporal,
  };
};

/** What is wrong is reported and read as unset, so that the rest is checked in the same go. */
const readSettings = (env: NodeJS.ProcessEnv, problems: string[]): Settings => {
  const outcome = Settings.safeParse(env);
  const wrong = inputProblems(outcome.error ?? new z.ZodError([]));
  problems.push(...wrong.map(({ field, reason }) => `${field}: ${reason}`));
  const names = new Set(wrong.map(({ field }) => field));
  const settings = outcome.data ?? Settings.parse(withoutNames(env, names));
  const { DATABASE_URL: url } = settings;
  if (url !== undefined) orProblem(() => readDatabaseUrl(url), problems);
  problems.push(...blobProblems(settings));
  // Which settings are required follows from the pools; of wrong pools nothing follows.
  if (!names.has('HOLDFAST_POOLS')) requireSettings(settings, problems);
  return settings;
};

const withoutNames = (env: NodeJS.ProcessEnv, names: ReadonlySet<string>): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name)));

const requireSettings = (settings: Settings, problems: string[]): void => {
  const runs = (pool: Pool): boolean => settings.HOLDFAST_POOLS.includes(pool);
  if (settings.HOLDFAST_ENVIRONMENTS === undefined && (runs('kubernetes') || runs('traffic'))) {
    problems.push('HOLDFAST_ENVIRONMENTS: must be the path of environments.yaml');
  }
  if (settings.HOLDFAST_BLOBS === undefined && runs('kubernetes')) {
    problems.push('HOLDFAST_BLOBS: must be the directory or the bucket of the blob store');
  }
  const bundle = settings.HOLDFAST_WORKFLOW_BUNDLE;
  if (bundle !== undefined && runs('orchestration') && !existsSync(bundle)) {
    problems.push(`HOLDFAST_WORKFLOW_BUNDLE: there is no file ${bundle}`);
  }
  requireCodecSettings(settings, problems);
};

const blobConfig = (settings: Settings): Pick<WorkerConfig, 'blobs' | 'blobsDirectory'> => {
  const blobs = blobSettingsOf(settings);
  const isDirectory = blobs?.location.kind === 'directory';
  return { blobs, blobsDirectory: isDirectory ? settings.HOLDFAST_BLOBS : undefined };
};

const blobProblems = (settings: Settings): string[] => {
  try {
    keyManagementOf(settings);
    const blobs = blobSettingsOf(settings);
    const isFarAway = blobs !== undefined && blobs.location.kind !== 'directory';
    return isFarAway && settings.DATABASE_URL === undefined
      ? ['DATABASE_URL: must be set where HOLDFAST_BLOBS is a bucket; records need one of the two']
      : [];
  } catch (error) {
    return [codedErrorOf(error)?.message ?? String(error)];
  }
};

const readConnection = (env: NodeJS.ProcessEnv, problems: string[]): ClientConnectConfig => {
  const present = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  try {
    return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(present) });
  } catch (error) {
    problems.push(`Temporal connection: ${error instanceof Error ? error.message : String(error)}`);
    return { connectionOptions: {} };
  }
};

const readEnvironments = (file: string | undefined, problems: string[]): EnvironmentsFile => {
  const none: EnvironmentsFile = { environments: {} };
  if (file === undefined) return none;
  const wrong = (reason: string): number =>
    problems.push(`HOLDFAST_ENVIRONMENTS: ${file}: ${reason}`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    wrong(error instanceof Error ? error.message : String(error));
    return none;
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    for (const { message } of document.errors) wrong(message);
    return none;
  }
  const outcome = EnvironmentsFile.safeParse(document.toJS());
  if (outcome.success) return outcome.data;
  for (const { field, reason } of inputProblems(outcome.error)) wrong(`${field}: ${reason}`);
  return none;
};

const secret = '(secret)';
const secretFields = new Set([
  ...['databaseUrl', 'apiKey', 'metadata', 'key', 'clientCertPair', 'crt'],
  ...['credentials', 'token'],
]);

/** The settings as JSON for a reader; credentials are left out. */
export const printableConfig = (config: WorkerConfig): string =>
  JSON.stringify(
    config,
    (field, value: unknown) => (secretFields.has(field) && value !== undefined ? secret : value),
    2,
  );
