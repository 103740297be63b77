import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { recordAt } from '../../../domain/delivery/canonical-json.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { isExact } from '../../../domain/delivery/proof.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import { createDriver, refs } from '../../conformance/release-driver.ts';
import { levelOneSandbox } from './level-one.ts';
import { openRealSite, type RealSite } from './real-site.ts';

let sandbox: Sandbox;
let site: RealSite;
const sites: RealSite[] = [];

beforeAll(async () => {
  sandbox = await levelOneSandbox();
});

beforeEach(async () => {
  site = await openRealSite(sandbox);
  sites.push(site);
});

afterAll(async () => {
  await Promise.all(sites.map(async (open) => open.close()));
});

interface Choice {
  port: number;
  probe: object;
  volume: object;
}

const app = { app: 'shop' };

const manifests = ({ port, probe, volume }: Choice): KubernetesObject[] => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop' },
    spec: { selector: app, ports: [{ port, targetPort: 8080 }] },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec: {
      replicas: 1,
      selector: { matchLabels: app },
      template: {
        metadata: { labels: app },
        spec: {
          volumes: [{ name: 'cache', ...volume }],
          containers: [
            {
              name: 'shop',
              image: 'registry.example/shop:1',
              readinessProbe: probe,
              volumeMounts: [{ name: 'cache', mountPath: '/cache' }],
            },
          ],
        },
      },
    },
  },
];

const before: Choice = {
  port: 80,
  probe: { httpGet: { path: '/readyz', port: 8080 } },
  volume: { emptyDir: {} },
};

describe('a field of which there can be only one is replaced, and put back', () => {
  const cases: { title: string; change: Partial<Choice> }[] = [
    { title: 'the only port of a Service', change: { port: 81 } },
    { title: 'the handler of a probe', change: { probe: { tcpSocket: { port: 8080 } } } },
    { title: 'the source of a volume', change: { volume: { hostPath: { path: '/tmp' } } } },
  ];
  test.each(cases)('$title', async ({ change }) => {
    const driver = createDriver(site);
    const first = await driver.prepare('1', 1, { objects: manifests(before) });
    await driver.forward(first);
    const wanted = { ...before, ...change };
    const options = { objects: manifests(wanted), previous: first };
    const second = await driver.prepare('2', 2, options);
    await driver.forward(second);
    expect(isExact(await driver.proof(second, 'forward'))).toBe(true);

    const service = await site.get(refs.service);
    const ports = recordAt(service, 'spec')['ports'];
    expect(ports).toEqual([expect.objectContaining({ port: wanted.port })]);
    const template = recordAt(await site.get(refs.deployment), 'spec', 'template', 'spec');
    expect(template).toMatchObject({
      volumes: [{ name: 'cache', ...wanted.volume }],
      containers: [{ readinessProbe: wanted.probe }],
    });

    await driver.back(second);
    expect(isExact(await driver.proof(second, 'back'))).toBe(true);
  });
});
