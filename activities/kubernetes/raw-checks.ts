import { recordAt } from '../../domain/delivery/canonical-json.ts';
import { selectsPodsOf } from '../../domain/delivery/pod-template.ts';
import { codedErrorOf } from '../coded-failure.ts';
import { execCheck } from './check-commands.ts';
import { deleteJob, jobOf, runJob } from './check-jobs.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { createObject, listObjects } from './object-access.ts';
import { requirePermissions, type Permission } from './permission-check.ts';
import type { Checks } from './port.ts';
import type { ReleaseDeps } from './release-planning.ts';

type ValidateRequest = Parameters<Checks['validate']>[0];
type Problem = Awaited<ReturnType<Checks['validate']>>[number];

const forJobs: readonly Permission[] = ['get', 'list', 'watch', 'create', 'delete'].map((verb) => ({
  verb,
  group: 'batch',
  resource: 'jobs',
}));

/** A WebSocket begins as a GET; newer API servers ask for `create` all the same. */
const forExec: readonly Permission[] = ['get', 'create'].map((verb) => ({
  verb,
  group: '',
  resource: 'pods/exec',
}));

const validateJob = async (
  cluster: Cluster,
  request: ValidateRequest,
  { field, job }: ValidateRequest['jobs'][number],
): Promise<Problem[]> => {
  const object = jobOf({ ...request, job, epoch: 0, key: 'dry-run' });
  const services = await listObjects(cluster, { apiVersion: 'v1', kind: 'Service' });
  const selecting = services.items.find((service) =>
    selectsPodsOf(recordAt(service, 'spec', 'selector'), object),
  );
  if (selecting !== undefined) {
    const reason = `Service/${selecting.metadata.name} selects its pods, so that they would get traffic; change their labels`;
    return [{ field, reason }];
  }
  try {
    await translated({ subject: field }, () => createObject(cluster, object, { dryRun: true }));
    return [];
  } catch (error) {
    const coded = codedErrorOf(error);
    if (coded?.code !== 'MANIFEST_INVALID') throw error;
    return [{ field, reason: coded.message }];
  }
};

const validate = async (deps: ReleaseDeps, request: ValidateRequest): Promise<Problem[]> => {
  const cluster = await deps.environments.locate(request.environment);
  return translated({ subject: request.service }, async () => {
    await requirePermissions(cluster, [
      ...(request.jobs.length > 0 ? forJobs : []),
      ...(request.exec && cluster.carriesTraffic ? forExec : []),
    ]);
    const problems = request.jobs.map((job) => validateJob(cluster, request, job));
    return (await Promise.all(problems)).flat();
  });
};

/** Checks on the raw JSON of the Kubernetes API. */
export const createChecks = (deps: ReleaseDeps): Checks => ({
  validate: (request) => validate(deps, request),
  exec: (request) => execCheck(deps, request),
  runJob: (request) => runJob(deps, request),
  deleteJob: (request) => deleteJob(deps, request),
});
