import type { ProbeTarget } from '../../activities/traffic/port.ts';
import { checksGate } from './check-gates.ts';
import { budgetGate, settleExposure } from './exposure-budget.ts';
import { bakeGate } from './measure-gates.ts';
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
  await verifyUnderTraffic(run, prepared);
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

/** What verifying shows in the stage table besides smoke and bake, in this order. */
export const linesAfterBake = ({ budget, verification }: ReleaseRun['input']): string[] => [
  ...(verification === undefined ? [] : ['verification']),
  ...(budget === undefined ? [] : [budgetGate]),
];

/** Smoke, bake and the verification suite, all under the traffic of users. */
export const verifyUnderTraffic = async (
  run: ReleaseRun,
  prepared: PreparedRelease,
): Promise<void> => {
  const { smoke, bake, verification } = run.input;
  const target = usersTarget(run, prepared);
  await checksGate(run, { name: 'smoke', target, checks: smoke, prepared });
  await bakeGate(run, { name: 'bake', target, rule: bake });
  if (verification !== undefined) {
    await checksGate(run, { name: 'verification', target, checks: verification, prepared });
  }
  await settleExposure(run);
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
