import { afterAll, beforeAll, jest } from '@jest/globals';
import type { Sandbox } from '../../../sandbox/index.ts';
import { describeCandidates } from '../../conformance/candidates.ts';
import { levelOneSandbox } from './level-one.ts';
import { installRoutes } from './played-gateway.ts';
import { openRealSite, sandboxApi, type RealSite } from './real-site.ts';

jest.setTimeout(120_000);

let sandbox: Sandbox;
const sites: RealSite[] = [];

beforeAll(async () => {
  sandbox = await levelOneSandbox();
  await installRoutes(await sandboxApi(sandbox));
});

afterAll(async () => {
  await Promise.all(sites.map(async (site) => site.close()));
});

describeCandidates('the Kubernetes API', async () => {
  const site = await openRealSite(sandbox);
  sites.push(site);
  return site;
});
