import { afterAll, beforeAll, jest } from '@jest/globals';
import type { Sandbox } from '../../../sandbox/index.ts';
import { describeReleases } from '../../conformance/releases.ts';
import { levelOneSandbox } from './level-one.ts';
import { openRealSite, type RealSite } from './real-site.ts';

jest.setTimeout(120_000);

let sandbox: Sandbox;
const sites: RealSite[] = [];

beforeAll(async () => {
  sandbox = await levelOneSandbox();
});

afterAll(async () => {
  await Promise.all(sites.map(async (site) => site.close()));
});

describeReleases('the Kubernetes API', async () => {
  const site = await openRealSite(sandbox);
  sites.push(site);
  return site;
});
