/** Takes a sandbox away: processes, changes to the machine, files. */
import { access, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nodeLayer } from './node/index.ts';
import { reportStep } from './progress.ts';
import type { OnProgress } from './progress.ts';
import { systemErrorCode } from './sandbox-error.ts';
import { readPlan } from './sandbox-plan.ts';
import { openStateDirectory } from './state/directory.ts';
import type { StatePaths } from './state/directory.ts';
import { withLock } from './state/lock.ts';
import { createProcessSupervisor } from './state/processes.ts';

/** A running `up` is waited for this long; its processes would otherwise be missed. */
const WAIT_FOR_OTHER_MS = 5 * 60 * 1000;

/**
 * Removes everything that `sandboxUp` made in this directory, also after a
 * crash at any point of it. Does nothing where there is no sandbox. Files that
 * others put into the state directory stay.
 *
 * @throws SandboxError when something could not be undone; it is tried again by the next call.
 */
export async function sandboxDown(
  stateDirectory: string,
  options: { readonly onProgress?: OnProgress } = {},
): Promise<void> {
  const onProgress = options.onProgress ?? ((): void => undefined);
  if (!(await exists(stateDirectory))) return;
  const paths = await openStateDirectory(stateDirectory);
  await reportStep(
    { name: 'down', message: 'taking the sandbox away', onProgress },
    async (reporter) =>
      withLock(
        {
          path: paths.lock,
          purpose: 'taking the sandbox away',
          waitAtMostMs: WAIT_FOR_OTHER_MS,
          onWait: (holder) =>
            reporter.say(`waiting for process ${holder.pid}, which is ${holder.purpose}`),
        },
        async () => takeAway(paths),
      ),
  );
  await removeIfEmpty(paths.directory);
}

async function takeAway(paths: StatePaths): Promise<void> {
  const plan = await readPlan(paths);
  // Pods are ended by the node's own agents while the API server still answers.
  if (plan?.level === 2) await nodeLayer.stopNode(paths.directory);
  await createProcessSupervisor(paths).stopAll();
  const made = [
    paths.description,
    paths.kubernetes,
    paths.temporal,
    paths.metrics,
    paths.postgres,
    dirname(paths.auditLog),
    paths.logs,
    paths.processes,
  ];
  // What was half started may write for a moment longer.
  const removal = { recursive: true, force: true, maxRetries: 20, retryDelay: 50 };
  for (const path of made) await rm(path, removal);
  // Last, so that a crash before this line leaves what the next `down` needs.
  await rm(paths.plan, { force: true });
}

async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    if (!['ENOTEMPTY', 'ENOENT', 'EEXIST'].includes(systemErrorCode(error) ?? '')) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
