import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import { OpsError, type DeployServiceHandle, type OpsClient, type RunView } from '../index.ts';
import type { CommandTarget } from './command-lines.ts';

export interface RunName {
  service: string;
  environment: string;
  release: string | undefined;
}

/** More runs of one service are never open at once: the lock has a shorter queue. */
const openRuns = 50;

/**
 * The release that is named, else the one that has the lock of the service, else the last one.
 * Where no worker says who has the lock, the list of runs has to do.
 */
export const findRun = async (ops: OpsClient, name: RunName): Promise<DeployServiceHandle> => {
  const { service, environment, release } = name;
  const { deployService } = ops.delivery;
  if (release !== undefined) return deployService.getHandle({ service, environment, release });
  try {
    return await deployService.getHandle({ service, environment });
  } catch (error) {
    if (!(error instanceof OpsError) || !withoutHolder.has(error.code)) throw error;
    const filter = { workflow: 'deployService', service, environment, limit: openRuns };
    const runs = await ops.listRuns(filter);
    const open = runs.filter(({ status }) => status === 'running' || status === 'paused');
    const found = open.find(({ stage }) => stage !== 'lock') ?? open[0] ?? runs[0];
    if (found === undefined) throw error;
    return deployService.getHandle(found.workflowId);
  }
};

const withoutHolder: ReadonlySet<string> = new Set(['RUN_NOT_FOUND', 'TEMPORAL_UNREACHABLE']);

/** What is known of a run now. @throws RUN_NOT_FOUND */
export const lookOnce = async (
  run: DeployServiceHandle,
): Promise<RunView<DeployServiceProgress>> => {
  for await (const view of run.watch()) return view;
  throw new OpsError({ code: 'RUN_NOT_FOUND', message: `There is no run ${run.workflowId}.` });
};

/** Service, environment and release of a run, as its id says. */
export const targetOf = (
  { workflowId }: Pick<DeployServiceHandle, 'workflowId'>,
  { service, environment }: Pick<RunName, 'service' | 'environment'>,
): CommandTarget => {
  const prefix = `deploy:${environment}:${service}:`;
  const release = workflowId.startsWith(prefix) ? workflowId.slice(prefix.length) : workflowId;
  return { service, environment, release };
};
