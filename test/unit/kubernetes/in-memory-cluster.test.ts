import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { describeCandidates } from '../../conformance/candidates.ts';
import { describeChecks } from '../../conformance/checks.ts';
import type { ReleaseSite } from '../../conformance/release-driver.ts';
import { describeReleases } from '../../conformance/releases.ts';
import { createInMemoryCluster } from '../../fakes/in-memory-cluster.ts';

const openSite = (): Promise<ReleaseSite> => {
  const cluster = createInMemoryCluster();
  return Promise.resolve({
    releases: cluster.releases,
    workloads: cluster.workloads,
    routes: cluster.routes,
    checks: cluster.checks,
    environment: 'staging',
    store: (objects) => cluster.store(objects),
    get: (ref) => Promise.resolve(cluster.get(ref)),
    edit: (ref, change) => {
      cluster.edit(ref, change);
      return Promise.resolve();
    },
    add: (object) => {
      cluster.add(object);
      return Promise.resolve();
    },
    setGateway: (isThere) => {
      cluster.knobs.hasGateway = isThere;
      return Promise.resolve();
    },
  });
};

describeReleases('the cluster in memory', openSite);
describeCandidates('the cluster in memory', openSite);
describeChecks('the cluster in memory', openSite);

const textsIn = async (folder: string): Promise<string> => {
  const directory = path.resolve(import.meta.dirname, '../..', folder);
  const files = (await readdir(directory)).filter((file) => file.endsWith('.ts'));
  const texts = files.map((file) => readFile(path.join(directory, file), 'utf8'));
  return (await Promise.all(texts)).join('\n');
};

test('what the cluster in memory promises, the Kubernetes API is held to as well', async () => {
  const suites = [
    ...(await textsIn('conformance')).matchAll(/^ {2}(describe\w+)\(name, openSite\)/gm),
  ];
  const real = await textsIn('integration/kubernetes');
  expect(suites.length).toBeGreaterThan(5);
  const missing = suites.filter(([, suite]) => !real.includes(`${suite ?? ''}(`));
  expect(missing.map(([, suite]) => suite)).toEqual([]);
});
