import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readDeployRequest } from '../../../client/cli/deploy-request.ts';
import { loadServiceDefinition } from '../../../client/cli/files/index.ts';
import { OpsError } from '../../../client/ops-error.ts';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-file-'));
  file = path.join(directory, 'holdfast.yaml');
});

afterEach(async () => rm(directory, { recursive: true }));

const refusalOf = async (text: string): Promise<OpsError> => {
  await writeFile(file, text);
  try {
    await loadServiceDefinition(file);
  } catch (error) {
    if (error instanceof OpsError) return error;
    throw error;
  }
  throw new Error('the file was taken');
};

describe('holdfast.yaml', () => {
  test('every mistake is named with file, line, column and field', async () => {
    const { code, message } = await refusalOf(
      [
        'service: Shop',
        'environment: staging',
        'manifests: [k8s/]',
        'deadlin: 10m',
        'smoke:',
        '  - http: {path: healthz}',
        'bake: {for: 30 seconds, failIf: probe.failureRatio > 0.01}',
        'notify:',
        '  - webhok: http://127.0.0.1:9000/hooks',
      ].join('\n'),
    );
    expect(code).toBe('INVALID_INPUT');
    const places = message.split('\n').map((line) => line.replace(directory, ''));
    expect(places).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/holdfast\.yaml:1:1 service: must consist of lower-case letters/),
        expect.stringMatching(/holdfast\.yaml:4:1 deadlin: there is no such field/),
        expect.stringMatching(/holdfast\.yaml:6:12 smoke\[0\]\.http\.path: .*\//),
        expect.stringMatching(/holdfast\.yaml:7:8 bake\.for: must be a number with a unit/),
        'Nothing was changed.',
      ]),
    );
    expect(message).toMatch(/holdfast\.yaml:9:5 notify\[0\]/);
  });

  test('a field that is missing is placed at its parent', async () => {
    const { message } = await refusalOf('# a comment\nservice: shop\nmanifests: [a]\n');
    expect(message).toMatch(/holdfast\.yaml:2:1 environment:/);
  });

  test('an empty file, two documents and a file that is not there are refused', async () => {
    expect((await refusalOf('')).message).toContain('one document is expected, there are 0');
    const twice = 'service: a\n---\nservice: b\n';
    expect((await refusalOf(twice)).message).toMatch(/:3:1 one document is expected, there are 2/);
    await rm(file);
    await expect(loadServiceDefinition(file)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await writeFile(file, '');
  });

  test('becomes the request of the facade, with lengths of time in milliseconds', async () => {
    await writeFile(
      file,
      `service: shop
environment: staging
manifests: ["-"]
deadline: 90s
stable: 2s
smoke:
  - http: {path: /healthz, expect: 204, contains: ok}
bake: {for: 30s, path: /buy, failIf: probe.failureRatio > 0.01, requestsPerSecond: 50}
approvals: [{name: release-manager, expiresAfter: 1h}]
onFailure: hold
queue: supersede
compensationDeadline: 5m
notify: [{log: true}]
`,
    );
    const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'shop' } };
    const stdin = Readable.from([JSON.stringify(object)]);
    const request = await readDeployRequest(
      { stdin },
      { file, environment: 'production', release: '2', reason: 'because', adopt: true },
    );
    expect(request).toEqual({
      service: 'shop',
      environment: 'production',
      release: '2',
      manifests: [object],
      strategy: { type: 'rolling' },
      queue: 'supersede',
      deadlineMs: 90_000,
      stableMs: 2_000,
      smoke: [{ path: '/healthz', expectStatus: 204, expectBody: 'ok' }],
      bake: { forMs: 30_000, path: '/buy', maxFailureRatio: 0.01, requestsPerSecond: 50 },
      approvals: [{ name: 'release-manager', expiresAfterMs: 3_600_000 }],
      onFailure: 'hold',
      compensationDeadlineMs: 300_000,
      notify: [{ log: true }],
      requestedBy: { reason: 'because' },
      adopt: true,
    });
  });

  test('checks of every kind and the budget become the input of the contract', async () => {
    await writeFile(
      file,
      `service: shop
environment: staging
manifests: ["-"]
smoke:
  - exec: [bin/check, --deep]
    container: shop
    timeout: 2s
verification:
  - {url: "https://bank.example/ping", expect: 204}
  - job: {apiVersion: batch/v1, kind: Job, metadata: {name: rows}, spec: {template: {spec: {}}}}
    within: 2m
budget: {maxBadRequests: 5, badRequests: sum(bad), unreadableFor: 30s}
`,
    );
    const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'shop' } };
    const stdin = Readable.from([JSON.stringify(object)]);
    const request = await readDeployRequest({ stdin }, { file });
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'rows' } };
    expect(request).toMatchObject({
      smoke: [{ exec: ['bin/check', '--deep'], container: 'shop', timeoutMs: 2_000 }],
      verification: [
        { url: 'https://bank.example/ping', expectStatus: 204 },
        { job: { ...job, spec: { template: { spec: {} } } }, deadlineMs: 120_000 },
      ],
      budget: { maxBadRequests: 5, badRequests: 'sum(bad)', unreadableForMs: 30_000 },
    });
  });

  test.each([
    ['budget: {badRequests: sum(bad)}', 'a budget needs'],
    ['budget: {maxBadRequests: 1, exposedRequests: sum(all)}', 'needs the limit'],
    ['smoke: [{exec: []}]', 'smoke[0].exec'],
    [
      'strategy: {type: canary, route: shop, steps: [{weight: 10, for: 1m}, {weight: 50, for: 0s}]}',
      'strategy.steps[1].for: must be longer than 0',
    ],
    ['bake: {for: 0s, failIf: probe.failureRatio > 0.01}', 'bake.for: must be longer than 0'],
    ['verification: [{job: {apiVersion: batch/v1, kind: CronJob}}]', 'verification[0].job.kind'],
  ])('%s is refused', async (line, reason) => {
    const { message } = await refusalOf(
      `service: shop\nenvironment: staging\nmanifests: [a]\n${line}\n`,
    );
    expect(message).toContain(reason);
  });

  test('a strategy may be nothing but its name', async () => {
    const text = 'service: shop\nenvironment: staging\nmanifests: ["-"]\nstrategy:';
    for (const type of ['rolling', 'recreate']) {
      await writeFile(file, `${text} { type: ${type} }\n`);
      const stdin = Readable.from([
        '{"apiVersion":"v1","kind":"Service","metadata":{"name":"shop"}}',
      ]);
      expect((await readDeployRequest({ stdin }, { file })).strategy).toEqual({ type });
    }
  });

  test('the flag says how this release queues, whatever the file says', async () => {
    await writeFile(
      file,
      'service: shop\nenvironment: staging\nmanifests: ["-"]\nqueue: supersede\n',
    );
    const stdin = () =>
      Readable.from(['{"apiVersion":"v1","kind":"Service","metadata":{"name":"shop"}}']);
    const queueWith = async (flags: { queue?: 'hotfix' }) =>
      (await readDeployRequest({ stdin: stdin() }, { file, ...flags })).queue;
    expect(await queueWith({})).toBe('supersede');
    expect(await queueWith({ queue: 'hotfix' })).toBe('hotfix');
  });
});
