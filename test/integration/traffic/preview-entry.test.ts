import { afterEach, describe, expect, test } from '@jest/globals';
import { startTarget, type HttpTarget } from './http-target.ts';
import { probeRun, type ProbeRun } from './probe-bench.ts';

const open: HttpTarget[] = [];
const target = async (...args: Parameters<typeof startTarget>): Promise<HttpTarget> => {
  const started = await startTarget(...args);
  open.push(started);
  return started;
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((started) => started.close()));
});

const health = { path: '/healthz', expectStatus: 200 };
const longEnoughMs = 20_000;

/** A preview Service at 127.0.0.1 and an entry for users that must not be used. */
const previewOf = async (run: Partial<ProbeRun>) => {
  const hosts: string[] = [];
  const preview = await target((request, response) => {
    hosts.push(String(request.headers.host));
    response.writeHead(request.url === '/healthz' ? 200 : 404, { 'x-version': '2.0.0' }).end();
  });
  const users = await target((_request, response) => response.end('version 1'));
  const bench = probeRun({
    traffic: { url: `${users.url}/eu` },
    entry: 'preview',
    services: [
      { name: 'shop-preview', port: preview.port },
      { name: 'shop', port: users.port },
    ],
    clusterIps: { 'shop-preview': '127.0.0.1', shop: '127.0.0.1' },
    ...run,
  });
  return { bench, preview, users, hosts };
};

describe('a preview', () => {
  test('is reached at the ClusterIP of its Service, past the entry of users', async () => {
    const { bench, preview, users, hosts } = await previewOf({ versionHeader: 'X-Version' });
    expect(await bench.smoke([health], longEnoughMs)).toEqual({
      measured: true,
      checks: [{ check: health, passed: true, answer: 'HTTP 200: (empty body)', version: '2.0.0' }],
    });
    expect(hosts).toEqual([`127.0.0.1:${String(preview.port)}`]);
    expect(users.requests()).toBe(0);
  });

  test('is asked under the name that users ask for', async () => {
    const traffic = { url: 'http://gateway.invalid', host: '{service}.example' };
    const { bench, hosts } = await previewOf({ traffic });
    expect(await bench.smoke([health], longEnoughMs)).toMatchObject({ checks: [{ passed: true }] });
    expect(hosts).toEqual(['shop.example']);
  });

  test('is the first of the Services, though another is named like the service', async () => {
    const { bench, preview, users } = await previewOf({ traffic: 'cluster-ip' });
    expect(await bench.watch({ path: '/healthz', windowMs: 100 })).toMatchObject({
      counts: { samples: 10, failures: 0 },
    });
    expect(preview.requests()).toBe(10);
    expect(users.requests()).toBe(0);
  });

  test('is not measured where the environment says that it cannot be reached', async () => {
    const { bench, preview } = await previewOf({ preview: 'none' });
    const reason = 'Environment staging declares that previews cannot be reached (preview: none).';
    expect(await bench.smoke([health], longEnoughMs)).toEqual({ measured: false, reason });
    expect(await bench.watch({})).toEqual({ measured: false, reason });
    expect(preview.requests()).toBe(0);
  });

  test('that cannot be reached does not keep users from being measured', async () => {
    const shop = await target((_request, response) => response.end('ok'));
    const bench = probeRun({ traffic: { url: shop.url }, preview: 'none' });
    expect(await bench.smoke([health], longEnoughMs)).toMatchObject({ checks: [{ passed: true }] });
  });

  test('is not measured where pods carry no traffic, whatever is said of previews', async () => {
    const { bench, preview } = await previewOf({ traffic: 'none', preview: 'cluster-ip' });
    const reason = 'Environment staging declares that its pods carry no traffic (traffic: none).';
    expect(await bench.smoke([health], longEnoughMs)).toEqual({ measured: false, reason });
    expect(preview.requests()).toBe(0);
  });

  test.each([
    ['there is no Service', { services: [] }],
    ['its Service is not there', { clusterIps: { shop: '127.0.0.1' } }],
  ])('is missing when %s, which is no data', async (_case, run) => {
    const { bench } = await previewOf(run);
    await expect(bench.smoke([health], 300)).rejects.toMatchObject({
      type: 'NO_DATA',
      details: [expect.objectContaining({ next: expect.stringContaining('`preview`') })],
    });
  });
});

describe('the version of a smoke check', () => {
  test('is that of the answer that is shown, also when the check fails', async () => {
    const shop = await target((_request, response, number) => {
      response.writeHead(500, { 'x-version': number < 2 ? '1' : '2' }).end('broken');
    });
    const bench = probeRun({ traffic: { url: shop.url }, versionHeader: 'X-Version' });
    expect(await bench.smoke([health], 600)).toEqual({
      measured: true,
      checks: [{ check: health, passed: false, answer: 'HTTP 500: broken', version: '2' }],
    });
  });

  test('is absent where the answer names none', async () => {
    const shop = await target((_request, response) => response.end('ok'));
    const bench = probeRun({ traffic: { url: shop.url }, versionHeader: 'X-Version' });
    expect(await bench.smoke([health], longEnoughMs)).toEqual({
      measured: true,
      checks: [{ check: health, passed: true, answer: 'HTTP 200: ok' }],
    });
  });

  test('is shortened, so that a header of any length stays readable', async () => {
    const shop = await target((_request, response) => {
      response.writeHead(200, { 'x-version': 'v'.repeat(5_000) }).end();
    });
    const bench = probeRun({ traffic: { url: shop.url }, versionHeader: 'X-Version' });
    expect(await bench.smoke([health], longEnoughMs)).toMatchObject({
      checks: [{ version: 'v'.repeat(100) }],
    });
  });
});
