import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { codedErrorOf } from '../../../activities/coded-failure.ts';
import { createEnvironments, createReleases } from '../../../activities/kubernetes/index.ts';
import type { Releases } from '../../../activities/kubernetes/port.ts';
import type { CodedError } from '../../../contracts/errors.ts';
import type { EnvironmentMapping } from '../../../contracts/shared/environments-file.ts';
import { copyJson, listAt, recordAt } from '../../../domain/delivery/canonical-json.ts';
import { annotations, type KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import { createDriver } from '../../conformance/release-driver.ts';
import { sampleService } from '../../conformance/sample-service.ts';
import { levelOneSandbox } from './level-one.ts';
import { releasesAs, type Rule } from './limited-account.ts';
import { openRealSite, type RealSite } from './real-site.ts';

let sandbox: Sandbox;
let site: RealSite;
let directory: string;
const sites: RealSite[] = [];

beforeAll(async () => {
  sandbox = await levelOneSandbox();
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-bad-input-'));
});

beforeEach(async () => {
  site = await openRealSite(sandbox);
  sites.push(site);
});

afterAll(async () => {
  await Promise.all(sites.map(async (open) => open.close()));
  await rm(directory, { recursive: true, force: true });
});

/** The sample with one object changed. */
const sampleWith = (kind: string, change: (object: KubernetesObject) => void): KubernetesObject[] =>
  sampleService().map((object) => {
    const copy = copyJson(object);
    if (copy.kind === kind) change(copy);
    return copy;
  });

const firstContainer = (deployment: KubernetesObject): Record<string, unknown> =>
  recordAt({ first: listAt(deployment, 'spec', 'template', 'spec', 'containers')[0] }, 'first');

const planError = async (
  releases: Releases,
  objects: readonly unknown[],
  adopt = false,
): Promise<CodedError> => {
  const manifestsDigest = await site.store(objects as KubernetesObject[]);
  const request = { environment: 'staging', service: 'shop', release: '1', manifestsDigest };
  try {
    await releases.plan({ ...request, adopt, epoch: 1 });
  } catch (error) {
    return codedErrorOf(error) ?? { code: 'INTERNAL', message: `not coded: ${String(error)}` };
  }
  throw new Error('the plan was accepted');
};

const releasesFor = (mapping: Partial<EnvironmentMapping>): Releases => {
  const { kubeconfigPath: kubeconfig, context } = sandbox.kubernetes;
  const { namespace } = site;
  const staging = { kubeconfig, context, namespace, traffic: 'none' as const, ...mapping };
  const environments = createEnvironments({ file: { environments: { staging } }, directory });
  return createReleases({ environments, blobs: site.blobs });
};

const writeNowhere = async (file: string, context: string): Promise<void> => {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'nowhere', cluster: { server: 'http://127.0.0.1:1' } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: context, context: { cluster: 'nowhere', user: 'nobody' } }],
  };
  await writeFile(file, JSON.stringify(config));
};

describe('bad input is refused before anything is touched', () => {
  test('an unknown field', async () => {
    const objects = sampleWith('Deployment', (object) => {
      recordAt(object, 'spec', 'template', 'spec')['restartPolici'] = 'Always';
    });
    const error = await planError(site.releases, objects);
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID', subject: 'Deployment/shop' });
    expect(error.message).toContain('restartPolici');
  });

  test('an unknown field in an object that exists', async () => {
    await createDriver(site).deployed('0', 1);
    const objects = sampleWith('Service', (object) => {
      recordAt(object, 'spec')['sesionAffinity'] = 'ClientIP';
    });
    const error = await planError(site.releases, objects);
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID', subject: 'Service/shop' });
    expect(error.message).toContain('sesionAffinity');
  });

  test('a value that the API server does not accept', async () => {
    const objects = sampleWith('Deployment', (object) => {
      firstContainer(object)['image'] = '';
    });
    const error = await planError(site.releases, objects);
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.message).toContain('spec.template.spec.containers[0].image');
  });

  test('something that is no object', async () => {
    const error = await planError(site.releases, [...sampleService(), 'kind: Deployment']);
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID', subject: 'document 6' });
  });

  test('a manifest kind we do not manage', async () => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'import' } };
    const error = await planError(site.releases, [...sampleService(), job]);
    expect(error).toMatchObject({ code: 'MANIFEST_KIND_UNSUPPORTED', subject: 'Job/import' });
    expect(error.message).toContain('what a Job has done cannot be undone');
  });

  test('an object of another namespace', async () => {
    const objects = sampleWith('Service', (object) => {
      object.metadata.namespace = 'elsewhere';
    });
    const error = await planError(site.releases, objects);
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID', subject: 'Service/shop' });
    expect(error.message).toContain('/metadata/namespace');
  });

  test('an object that appears twice', async () => {
    const error = await planError(site.releases, [...sampleService(), ...sampleService()]);
    expect(error.message).toContain('appears twice');
  });

  test('a namespace that is missing', async () => {
    const error = await planError(releasesFor({ namespace: 'not-there' }), sampleService());
    expect(error).toMatchObject({ code: 'NAMESPACE_MISSING', subject: 'not-there' });
  });

  test('neither readiness probe nor minReadySeconds', async () => {
    const objects = sampleWith('Deployment', (object) => {
      delete firstContainer(object)['readinessProbe'];
    });
    const error = await planError(site.releases, objects);
    expect(error).toMatchObject({ code: 'READINESS_UNPROVABLE', subject: 'Deployment/shop' });
    const patient = objects.map((object) => {
      if (object.kind === 'Deployment') recordAt(object, 'spec')['minReadySeconds'] = 1;
      return object;
    });
    await createDriver(site).prepare('1', 1, { objects: patient });
  });

  test('a plan that would edit an object another release holds', async () => {
    await site.add({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'shop', annotations: { [annotations.service]: 'staging/cart' } },
      spec: { ports: [{ port: 80 }] },
    });
    const error = await planError(site.releases, sampleService());
    expect(error).toMatchObject({ code: 'OBJECT_HELD', subject: 'Service/shop' });
    expect(error.message).toContain('staging/cart');
  });

  test.each([
    ['Helm', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }],
    ['Argo CD', { labels: { 'argocd.argoproj.io/instance': 'shop' } }],
    ['Flux', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'shop' } }],
  ])('an object that %s manages, unless it is adopted', async (owner, metadata) => {
    const data = { text: 'theirs' };
    const theirs = { apiVersion: 'v1', kind: 'ConfigMap', data };
    await site.add({ ...theirs, metadata: { name: 'shop-banner', ...metadata } });
    const error = await planError(site.releases, sampleService());
    expect(error).toMatchObject({
      code: 'OBJECT_OWNED_ELSEWHERE',
      subject: 'ConfigMap/shop-banner',
    });
    expect(error.message).toContain(owner);
    await expect(planError(site.releases, sampleService(), true)).rejects.toThrow('was accepted');
  });

  test('an immutable change', async () => {
    await createDriver(site).deployed('0', 1);
    const objects = sampleWith('Deployment', (object) => {
      const labels = { app: 'other' };
      recordAt(object, 'spec')['selector'] = { matchLabels: labels };
      recordAt(object, 'spec', 'template')['metadata'] = { labels };
    });
    const error = await planError(site.releases, objects);
    expect(error).toMatchObject({ code: 'IMMUTABLE_CHANGE', subject: 'Deployment/shop' });
    expect(error.message).toContain('spec.selector');
  });

  test('a change that Kubernetes would not take back', async () => {
    await createDriver(site).deployed('0', 1);
    const objects = sampleService().map((object) =>
      object.metadata.name === 'shop-banner' ? { ...object, immutable: true } : object,
    );
    const error = await planError(site.releases, objects);
    expect(error).toMatchObject({ code: 'IMMUTABLE_CHANGE', subject: 'ConfigMap/shop-banner' });
    expect(error.message).toContain('/immutable');
  });

  test('an unreachable API server', async () => {
    const { context } = sandbox.kubernetes;
    const kubeconfig = path.join(directory, 'nowhere.kubeconfig');
    await writeNowhere(kubeconfig, context);
    const error = await planError(releasesFor({ kubeconfig }), sampleService());
    expect(error.code).toBe('CLUSTER_UNREACHABLE');
  });

  test('another cluster than the mapped one', async () => {
    const cluster = '00000000-0000-4000-8000-000000000000';
    const error = await planError(releasesFor({ cluster }), sampleService());
    expect(error.code).toBe('CLUSTER_MISMATCH');
    expect(error.message).toContain(sandbox.kubernetes.clusterUid);
  });

  test('an environment that is not mapped, and a context that does not exist', async () => {
    const manifestsDigest = await site.store(sampleService());
    const request = { environment: 'prod', service: 'shop', release: '1', manifestsDigest };
    const plan = site.releases.plan({ ...request, adopt: false, epoch: 1 });
    await expect(plan).rejects.toMatchObject({ type: 'ENVIRONMENT_UNKNOWN' });
    const error = await planError(releasesFor({ context: 'elsewhere' }), sampleService());
    expect(error).toMatchObject({ code: 'CONFIGURATION_INVALID' });
  });

  test('values of a Secret never get into an error or a plan', async () => {
    const planted = 'planted-value-of-a-secret';
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shop-key' },
      stringData: { key: planted },
    };
    const broken = { ...secret, type: 'kubernetes.io/tls' };
    const error = await planError(site.releases, [...sampleService(), broken]);
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(JSON.stringify(error)).not.toContain(planted);
    const driver = createDriver(site);
    const first = await driver.prepare('1', 1, { objects: [...sampleService(), secret] });
    await driver.forward(first);
    const changed = { ...secret, stringData: { key: `${planted}-2` } };
    const second = await driver.prepare('2', 2, { objects: [...sampleService(), changed] });
    const text = JSON.stringify([first.plan, second.plan]);
    expect(text).toContain('(secret)');
    for (const value of [planted, `${planted}-2`]) {
      expect(text).not.toContain(value);
      expect(text).not.toContain(Buffer.from(value).toString('base64'));
    }
  });
});

const everything: Rule = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
const readOnly: Rule = { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] };

describe('permissions', () => {
  test('missing RBAC is named by verb, resource and user, before anything is touched', async () => {
    const writesAllButServices: Rule = {
      apiGroups: ['', 'apps', 'autoscaling', 'policy'],
      resources: [
        'configmaps',
        'secrets',
        'deployments',
        'replicasets',
        'poddisruptionbudgets',
        'horizontalpodautoscalers',
      ],
      verbs: ['create', 'patch', 'delete'],
    };
    const account = { name: 'limited', rules: [readOnly, writesAllButServices], directory };
    const releases = await releasesAs(sandbox, site, account);
    const error = await planError(releases, sampleService());
    expect(error.code).toBe('PERMISSION_MISSING');
    expect(error.message).toContain(`system:serviceaccount:${site.namespace}:limited`);
    expect(error.subject).toBe('create services, patch services, delete services');
  });

  test('rights in one namespace suffice for a whole release and its way back', async () => {
    const account = { name: 'owner', rules: [everything], directory };
    const releases = await releasesAs(sandbox, site, account);
    const driver = createDriver({ ...site, releases });
    const first = await driver.deployed('1', 1);
    const second = await driver.prepare('2', 2, { greeting: 'hi', previous: first });
    await driver.forward(second);
    await driver.back(second);
    const { rows } = await driver.proof(second, 'back');
    expect(rows.map(({ verdict }) => verdict)).toEqual(rows.map(() => 'exact'));
  });
});
