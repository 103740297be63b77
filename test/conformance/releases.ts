import type { ReleaseSite } from './release-driver.ts';
import { describeBack } from './releases-back.ts';
import { describeForward } from './releases-forward.ts';
import { describeRecreated } from './releases-recreated.ts';
import { describeUpkeep } from './releases-upkeep.ts';

/** The promises of `Releases` and `Workloads`, against the real API and against the fake. */
export const describeReleases = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describeForward(name, openSite);
  describeBack(name, openSite);
  describeRecreated(name, openSite);
  describeUpkeep(name, openSite);
};
