import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RolloutStrategy } from '../../../domain/delivery/rollout-plan.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import {
  blueGreen,
  candidateOf,
  createCandidateDriver,
} from '../../conformance/candidate-driver.ts';
import { levelOneSandbox } from './level-one.ts';
import { portsAs, type Rule } from './limited-account.ts';
import { installRoutes } from './played-gateway.ts';
import { publishedRules } from './published-rules.ts';
import { openRealSite, sandboxApi, type RealSite } from './real-site.ts';

let sandbox: Sandbox;
let site: RealSite;
let directory: string;
let rules: Rule[];
const sites: RealSite[] = [];

beforeAll(async () => {
  sandbox = await levelOneSandbox();
  await installRoutes(await sandboxApi(sandbox));
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-rights-'));
  rules = await publishedRules();
});

beforeEach(async () => {
  site = await openRealSite(sandbox);
  sites.push(site);
});

afterAll(async () => {
  await Promise.all(sites.map(async (open) => open.close()));
  await rm(directory, { recursive: true, force: true });
});

const byRoute: RolloutStrategy = { type: 'blue-green', route: 'shop', steps: [], retainMs: 0 };

const addRoute = async (): Promise<void> =>
  site.add({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'shop' },
    spec: {
      parentRefs: [{ name: 'web' }],
      rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }],
    },
  });

const without = (resource: string, ...verbs: string[]): Rule[] =>
  rules
    .map((rule) =>
      rule.resources.includes(resource)
        ? { ...rule, verbs: rule.verbs.filter((verb) => !verbs.includes(verb)) }
        : rule,
    )
    .filter((rule) => rule.verbs.length > 0);

const driverAs = async (name: string, granted: Rule[]) => {
  const ports = await portsAs(sandbox, site, { name, rules: granted, directory });
  return { driver: createCandidateDriver({ ...site, ...ports }), ports };
};

const newer = { image: 'registry.example/shop:2' };

describe('the rights that a worker is asked to have', () => {
  test('suffice for a new version beside the old one, by Services and by a route', async () => {
    const { driver, ports } = await driverAs('published', rules);
    const first = await driver.deployed('1', 1);
    const second = await driver.prepare('2', 2, { ...newer, previous: first, strategy: blueGreen });
    expect(second.plan.warnings.join('\n')).not.toContain('NetworkPolicy');
    await driver.forwardTo(second, 'return');
    await driver.backAll(second);
    await addRoute();
    await site.setGateway(true);
    const third = await driver.prepare('3', 4, { ...newer, previous: first, strategy: byRoute });
    await driver.forwardTo(third, 'stage');
    const request = { ...third.step, candidate: candidateOf(third), deadlineMs: 10_000 };
    await ports.routes.setWeight({ ...request, weightPercent: 100 });
    await ports.routes.setWeight({ ...request, weightPercent: 0, epoch: 5 });
    await driver.backAll(third);
    const { rows } = await driver.proof(third, 'back');
    expect(rows.map(({ verdict }) => verdict)).toEqual(rows.map(() => 'exact'));
  });

  test('without that to patch routes the plan is refused, and a rolling release is not', async () => {
    await addRoute();
    const { driver } = await driverAs('no-routes', without('httproutes', 'patch'));
    const first = await driver.deployed('1', 1);
    const options = { ...newer, previous: first };
    const plan = driver.prepare('2', 2, { ...options, strategy: byRoute });
    await expect(plan).rejects.toMatchObject({
      type: 'PERMISSION_MISSING',
      message: expect.stringContaining('patch httproutes'),
    });
    expect((await driver.prepare('2', 2, options)).plan.candidate).toBeUndefined();
  });

  test('without that to see policies the plan says what it does not know', async () => {
    const { driver } = await driverAs('no-policies', without('networkpolicies', 'list'));
    const first = await driver.deployed('1', 1);
    const second = await driver.prepare('2', 2, { ...newer, previous: first, strategy: blueGreen });
    expect(
      second.plan.warnings.filter((warning) => warning.includes('NetworkPolicy')),
    ).toHaveLength(1);
    expect(second.plan.candidate).toBeDefined();
  });
});
