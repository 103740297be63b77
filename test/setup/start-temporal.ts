import bundleWorkflows from './bundle-workflows.ts';
import { startTemporalServer, type TemporalServer } from './temporal-server.ts';

let server: TemporalServer | undefined;

/**
 * Bundles the workflows and starts a Temporal server, once for all test files of a run. Each file
 * has queues and environments of its own on it.
 */
export default async function startTemporal(): Promise<void> {
  await bundleWorkflows();
  if (server !== undefined) return;
  server = await startTemporalServer();
  process.env['HOLDFAST_TEST_TEMPORAL'] = server.address;
}

export const stopSharedServer = async (): Promise<void> => {
  await server?.stop();
  server = undefined;
};
