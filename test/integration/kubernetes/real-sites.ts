import { afterAll, beforeAll } from '@jest/globals';
import type { Sandbox } from '../../../sandbox/index.ts';
import { levelOneSandbox } from './level-one.ts';
import { openRealSite, type RealSite } from './real-site.ts';

/** Opens sites in the sandbox for the tests of a file, and closes them at its end. */
export const realSites = (
  prepare: (sandbox: Sandbox) => Promise<void> = () => Promise.resolve(),
): (() => Promise<RealSite>) => {
  let sandbox: Sandbox;
  const sites: RealSite[] = [];
  beforeAll(async () => {
    sandbox = await levelOneSandbox();
    await prepare(sandbox);
  });
  afterAll(async () => {
    await Promise.all(sites.map(async (site) => site.close()));
  });
  return async () => {
    const site = await openRealSite(sandbox);
    sites.push(site);
    return site;
  };
};
