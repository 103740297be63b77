import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import path from 'node:path';
import { readSurroundings, type Surroundings } from '../config.ts';
import { environmentWith } from './config.ts';
import type { Terminal } from './terminal.ts';
import type { WorkerFlags } from './worker-verb.ts';

/** Settings of a worker process that do not come from its own environment. */
export interface WorkerSettings {
  pools?: string | undefined;
  environmentsFile?: string | undefined;
  queuePrefix?: string | undefined;
  /** A bundle of the workflows that is there already. */
  workflowBundle?: string | undefined;
  /** Checks everyone by this access.yaml, seals with this key ring, and opens it for the Temporal UI. */
  trust?: { accessFile: string; keyRingFile: string } | undefined;
}

const sourceSuffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
export const workersDirectory = path.join(import.meta.dirname, '..', '..', 'workers');
export const workerEntry = path.join(workersDirectory, `main${sourceSuffix}`);

/** Runs workers in the foreground; their output is this command's. Returns their exit code. */
export const runWorker = async (_terminal: Terminal, flags: WorkerFlags): Promise<number> => {
  const environment = workerEnvironment(readSurroundings(), {
    pools: flags.pools,
    environmentsFile: flags.environments,
  });
  const child = spawn(
    process.execPath,
    [workerEntry, ...(flags.printConfig === true ? ['--print-config'] : [])],
    { env: environment, stdio: 'inherit' },
  );
  return passSignalsUntilExit(child);
};

/** The environment of a worker: its own settings first, then what is around this command. */
export const workerEnvironment = (
  surroundings: Surroundings,
  { pools, environmentsFile, queuePrefix, workflowBundle, trust }: WorkerSettings,
): NodeJS.ProcessEnv => {
  const { sandbox, stateDirectory, blobEnvironment, databaseUrl, uiUrl } = surroundings;
  const sandboxEnvironments = path.join(stateDirectory, 'environments.yaml');
  return environmentWith({
    defaults: {
      // Workers load Kubernetes' and Temporal's clients; compiled once, they start in half the time.
      NODE_COMPILE_CACHE: getCompileCacheDir(),
      TEMPORAL_ADDRESS: sandbox?.temporal.address,
      TEMPORAL_NAMESPACE: sandbox?.temporal.namespace,
      HOLDFAST_BLOBS: blobEnvironment.HOLDFAST_BLOBS,
      DATABASE_URL: databaseUrl,
      HOLDFAST_TEMPORAL_UI_URL: uiUrl,
      HOLDFAST_CODEC_ORIGIN: sandbox?.temporal.uiUrl,
      HOLDFAST_ENVIRONMENTS: existsSync(sandboxEnvironments) ? sandboxEnvironments : undefined,
    },
    overrides: {
      HOLDFAST_POOLS: pools,
      HOLDFAST_ENVIRONMENTS: environmentsFile,
      HOLDFAST_QUEUE_PREFIX: queuePrefix,
      HOLDFAST_WORKFLOW_BUNDLE: workflowBundle,
      HOLDFAST_ACCESS: trust?.accessFile,
      HOLDFAST_KEY_RING: trust?.keyRingFile,
      HOLDFAST_CODEC_PORT: trust === undefined ? undefined : '0',
    },
  });
};

export const exitOf = async (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });

const passSignalsUntilExit = async (child: ChildProcess): Promise<number> => {
  // A terminal sends Ctrl-C to the child as well; what is left to do here is to wait for it.
  const ignore = (): void => undefined;
  const pass = (): void => void child.kill('SIGTERM');
  process.on('SIGINT', ignore);
  process.on('SIGTERM', pass);
  try {
    return await exitOf(child);
  } finally {
    process.removeListener('SIGINT', ignore);
    process.removeListener('SIGTERM', pass);
  }
};
