import type { ServiceLockState } from '../../../contracts/delivery/service-lock.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { deploy, lockOf, until } from './sample-release.ts';
import type { ReleaseHandle } from './sample-release.ts';

/** Looks at the lock again and again until it is as expected; the test's own timeout ends it. */
export const lockUntil = async (
  server: ReleaseServer,
  world: World,
  expected: (state: ServiceLockState) => boolean,
): Promise<ServiceLockState> => {
  for (;;) {
    const state = await lockOf(server, world);
    if (expected(state)) return state;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
};

/** A release that holds the lock and rolls out until it is let. */
export const rollingOut = async (
  server: ReleaseServer,
  world: World,
  version: string,
): Promise<ReleaseHandle> => {
  world.cluster.knobs.pollsUntilReady = Number.POSITIVE_INFINITY;
  const run = await deploy(server, world, { version });
  await until(run, ({ stages }) =>
    stages.some(({ name, status }) => name === 'roll out Deployment/shop' && status === 'running'),
  );
  return run;
};

export const letRollOut = ({ cluster }: World): void => {
  cluster.knobs.pollsUntilReady = 0;
};
