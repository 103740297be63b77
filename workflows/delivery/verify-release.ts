import type { ProbeTarget } from '../../activities/traffic/port.ts';
import { bakeGate, smokeGate } from './measure-gates.ts';
import type { PreparedRelease } from './prepare-release.ts';
import type { ReleaseRun } from './release-run.ts';
import { end, step } from './run-step.ts';
import { endpointsOf } from './serving.ts';
import type { RolledOut } from './serving.ts';

/** Endpoints, smoke and bake: the new version must prove itself under requests. */
export const verifyRelease = async (
  run: ReleaseRun,
  prepared: PreparedRelease,
  rolledOut: readonly RolledOut[],
): Promise<void> => {
  await awaitEndpoints(run, rolledOut);
  await verifyUnderTraffic(run, usersTarget(run, prepared));
};

/** The way on which users reach the service. */
export const usersTarget = (run: ReleaseRun, { plan }: PreparedRelease): ProbeTarget => {
  const { environment, service, versionHeader } = run.input;
  return {
    environment,
    service,
    services: plan.services,
    ...(versionHeader === undefined ? {} : { versionHeader }),
  };
};

export const verifyUnderTraffic = async (run: ReleaseRun, target: ProbeTarget): Promise<void> => {
  await smokeGate(run, { name: 'smoke', target, checks: run.input.smoke });
  await bakeGate(run, { name: 'bake', target, rule: run.input.bake });
};

const awaitEndpoints = async (run: ReleaseRun, rolledOut: readonly RolledOut[]): Promise<void> => {
  const served = rolledOut.filter(({ services }) => services.length > 0);
  if (served.length === 0) {
    end(run, 'endpoints', {
      status: 'skipped',
      note: 'no Service selects a workload that changed',
    });
    return;
  }
  const name = { stage: 'endpoints', found: 'verify', skippable: true };
  await step(run, name, async () => {
    const counts = await Promise.all(served.map((workload) => endpointsOf(run, workload)));
    const total = counts.reduce((sum, { endpoints }) => sum + endpoints, 0);
    return { value: total, note: `${total} endpoints, all of the new version` };
  });
};
