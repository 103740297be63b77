/** Restarts only the Temporal server, as an upgrade or a crash of it would. */
import type { OnProgress } from './progress.ts';
import { SandboxError } from './sandbox-error.ts';
import { readPlan } from './sandbox-plan.ts';
import { statePaths } from './state/directory.ts';
import { withLock } from './state/lock.ts';
import { createProcessSupervisor } from './state/processes.ts';
import { TEMPORAL_PROCESS, startDevelopmentServer } from './temporal/development-server.ts';
import { locateTool } from './tools/locate.ts';

const WAIT_FOR_OTHER_MS = 60_000;

/**
 * Ends the server and starts it again at the same address and, with
 * persistence `file`, on the same database. With persistence `memory` all runs
 * are lost, so that is refused.
 *
 * @throws SandboxError
 */
export async function restartTemporal(
  stateDirectory: string,
  options: { readonly onProgress?: OnProgress } = {},
): Promise<void> {
  const onProgress = options.onProgress ?? ((): void => undefined);
  const paths = statePaths(stateDirectory);
  const plan = await readPlan(paths);
  if (plan?.temporalSettings.server.persistence !== 'file') {
    throw new SandboxError({
      code: 'SANDBOX_NOT_RUNNING',
      message: `There is no sandbox in ${stateDirectory} whose Temporal server keeps its runs in a file. Nothing was restarted.`,
      next: 'Start one with `sandboxUp({temporal: {persistence: "file"}})`.',
    });
  }
  const onWait = (): void => undefined;
  await withLock(
    { path: paths.lock, purpose: 'restarting Temporal', waitAtMostMs: WAIT_FOR_OTHER_MS, onWait },
    async () => {
      const processes = createProcessSupervisor(paths);
      await processes.stop(TEMPORAL_PROCESS);
      await startDevelopmentServer({
        stateDirectory,
        temporalBinary: (await locateTool('temporal', { onProgress })).path,
        settings: plan.temporalSettings,
        ports: { server: plan.ports.temporal, ui: plan.ports.temporalUi },
        processes,
        onProgress,
      });
    },
  );
}
