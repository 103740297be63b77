import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { codedErrorOf } from '../../../activities/coded-failure.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { isExact } from '../../../domain/delivery/proof.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import { createDriver, type DrivenRelease } from '../../conformance/release-driver.ts';
import {
  carryOver,
  readAuditedObjects,
  readPointer,
  withoutBookkeeping,
  type AuditedObject,
} from './audited-objects.ts';
import { levelOneSandbox } from './level-one.ts';
import { openRealSite, type RealSite } from './real-site.ts';

const charts = path.resolve(import.meta.dirname, '../../fixtures/charts');

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
  await Promise.all(
    volumes.map(async (name) =>
      site.api.call({ method: 'DELETE', path: `/api/v1/persistentvolumes/${name}` }),
    ),
  );
  await Promise.all(sites.map(async (open) => open.close()));
});

const chart = async (name: string, version: string): Promise<KubernetesObject[]> => {
  const text = await readFile(path.join(charts, name, `${version}.yaml`), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
};

const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'data-database-0' };

const volumes: string[] = [];

/** A volume for one claim; nothing provisions them in the sandbox, and nothing is stored. */
const addVolume = async (claimName: string): Promise<void> => {
  const name = `${site.namespace}-${claimName}`;
  await site.api.call({
    method: 'POST',
    path: '/api/v1/persistentvolumes',
    body: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '10Gi' },
        accessModes: ['ReadWriteOnce'],
        claimRef: { namespace: site.namespace, name: claimName },
        hostPath: { path: '/nowhere' },
      },
    },
  });
  volumes.push(name);
};

const lastOf = (writes: AuditedObject[], name: string): AuditedObject | undefined =>
  writes.findLast((write) => write.name === name);

interface Written {
  before: Record<string, unknown>;
  after: Record<string, unknown>;
}

/** What the audit log shows of an object before and after the writes from one index on. */
const writtenSince = (writes: AuditedObject[], since: number, name: string): Written => {
  const before = lastOf(writes.slice(0, since), name)?.object ?? {};
  const after = lastOf(writes.slice(since), name)?.object ?? before;
  return { before: withoutBookkeeping(before), after: withoutBookkeeping(after) };
};

const expectExactlyThePrinted = (
  change: DrivenRelease['plan']['changes'][number],
  { before, after }: Written,
): void => {
  const rebuilt = structuredClone(before);
  for (const { path: pointer } of change.fields) {
    expect([pointer, readPointer(before, pointer)]).not.toEqual([
      pointer,
      readPointer(after, pointer),
    ]);
    carryOver(after, rebuilt, pointer);
  }
  // Nothing beyond the printed fields differs.
  expect(rebuilt).toEqual(after);
};

describe('manifests in the style of public charts', () => {
  test.each([
    ...['storefront', 'orders-api', 'thumbnailer', 'payments'],
    ...['session-store', 'log-agent'],
  ])('%s: what the audit log shows changed is what the plan printed', async (name) => {
    const driver = createDriver(site);
    const first = await driver.prepare('1', 1, { objects: await chart(name, 'v1') });
    await driver.forward(first);
    const { namespace } = site;
    const { auditLogPath } = sandbox.kubernetes;
    const since = (await readAuditedObjects(auditLogPath, namespace)).length;
    const objects = await chart(name, 'v2');
    const second = await driver.prepare('2', 2, { objects, previous: first });
    const planned = (await readAuditedObjects(auditLogPath, namespace)).length;
    expect(planned).toBe(since);

    await driver.forward(second);
    const writes = await readAuditedObjects(auditLogPath, namespace);
    const written = new Set(writes.slice(since).map((write) => write.name));
    const { changes } = second.plan;
    const announced = changes.filter(({ action }) => action !== 'keep');
    expect([...written].sort()).toEqual(
      announced.map(({ object }) => `${object.kind}/${object.name}`).sort(),
    );
    const patches = announced.filter(({ action }) => action === 'patch');
    expect(patches.length).toBeGreaterThan(0);
    for (const change of patches) {
      const { kind, name: objectName } = change.object;
      expectExactlyThePrinted(change, writtenSince(writes, since, `${kind}/${objectName}`));
    }
    expect(isExact(await driver.proof(second, 'forward'))).toBe(true);

    await driver.back(second);
    const back = await driver.proof(second, 'back');
    expect(back.rows.map(({ verdict }) => verdict)).toEqual(back.rows.map(() => 'exact'));
  });

  test('database: a release keeps its volume, and refuses to ask for another one', async () => {
    const driver = createDriver(site);
    await addVolume('data-database-0');
    const first = await driver.prepare('1', 1, { objects: await chart('database', 'v1') });
    expect(first.plan.warnings.join(' ')).toContain(
      'volumes that StatefulSet/database claims stay',
    );
    await driver.forward(first);
    const claimed = await site.get(claim);
    const objects = await chart('database', 'v2');
    const second = await driver.prepare('2', 2, { objects, previous: first });
    await driver.forward(second);
    await driver.back(second);
    const { rows } = await driver.proof(second, 'back');
    expect(rows.map(({ verdict }) => verdict)).toEqual(rows.map(() => 'exact'));
    expect((await site.get(claim))?.metadata.uid).toBe(claimed?.metadata.uid);

    const larger = JSON.parse(
      JSON.stringify(objects).replace('10Gi', '20Gi'),
    ) as KubernetesObject[];
    const refusal = await driver
      .prepare('3', 4, { objects: larger, previous: first })
      .then(() => undefined, codedErrorOf);
    expect(refusal).toMatchObject({ code: 'IMMUTABLE_CHANGE', subject: 'StatefulSet/database' });
    expect(refusal?.message).toContain('/spec/volumeClaimTemplates');
  });
});
