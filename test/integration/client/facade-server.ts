import {
  createOpsClient,
  OpsError,
  type DeployServiceHandle,
  type DeployServiceRequest,
  type OpsClient,
} from '../../../client/index.ts';
import {
  startReleaseServer,
  type ReleaseServer,
  type ServerOptions,
  type World,
} from '../../workflow/delivery/release-server.ts';
import { manifestsOf } from '../../workflow/delivery/sample-release.ts';

/** A real Temporal server with the real workflows, and a cluster in memory behind them. */
export interface FacadeServer extends ReleaseServer {
  /** A client whose blobs the world's cluster reads. */
  clientOf(world: World, queuePrefix?: string): Promise<OpsClient>;
}

export const startFacadeServer = async (options: ServerOptions = {}): Promise<FacadeServer> => {
  const server = await startReleaseServer(options);
  return {
    ...server,
    clientOf: async (world, queuePrefix = server.prefix) =>
      createOpsClient({
        client: server.env.client,
        queuePrefix,
        blobs: world.cluster.blobs,
        actor: 'ana@example.com',
        uiUrl: 'http://127.0.0.1:8233/',
        messageTimeoutMs: 5_000,
      }),
  };
};

export const requestOf = (
  world: World,
  changes: Partial<DeployServiceRequest> = {},
): DeployServiceRequest => ({
  service: 'shop',
  environment: world.environment,
  manifests: manifestsOf('1'),
  stableMs: 0,
  ...changes,
});

export const approvals = [{ name: 'release-manager', expiresAfterMs: 600_000 }];

export const errorOf = async (call: Promise<unknown>): Promise<OpsError> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof OpsError) return error;
    throw error;
  }
  throw new Error('the call succeeded');
};

/** The digest of the plan that the run waits with. */
export const planOf = async (ops: OpsClient, world: World): Promise<string> => {
  const run = await liveRun(ops, world);
  for await (const { progress } of run.watch({ intervalMs: 20 })) {
    if (progress?.waitingFor?.planDigest !== undefined) return progress.waitingFor.planDigest;
  }
  throw new Error('the run ended without a plan to approve');
};

/** The live run, once the entity of the service knows it. */
export const liveRun = async (
  ops: OpsClient,
  { environment }: World,
): Promise<DeployServiceHandle> => {
  for (;;) {
    try {
      return await ops.delivery.deployService.getHandle({ environment, service: 'shop' });
    } catch (error) {
      if (!(error instanceof OpsError) || error.code !== 'RUN_NOT_FOUND') throw error;
    }
  }
};
