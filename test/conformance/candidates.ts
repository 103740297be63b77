import type { ReleaseSite } from './release-driver.ts';
import { describeBeside } from './candidates-beside.ts';
import { describeBesideBack } from './candidates-back.ts';
import { describeByPods } from './candidates-by-pods.ts';
import { describeMoreRoutes } from './candidates-more-routes.ts';
import { describeOnRoutes } from './candidates-on-routes.ts';
import { describeRefused } from './candidates-refused.ts';
import { describeExactRestore } from './exact-restore.ts';

/** The promises of a new version beside the old one, against the real API and against the fake. */
export const describeCandidates = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describeBeside(name, openSite);
  describeBesideBack(name, openSite);
  describeRefused(name, openSite);
  describeOnRoutes(name, openSite);
  describeExactRestore(name, openSite);
  describeByPods(name, openSite);
  describeMoreRoutes(name, openSite);
};
