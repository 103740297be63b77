import { afterEach, describe, expect, test } from '@jest/globals';
import { closedAddress, startTarget, type HttpTarget } from './http-target.ts';
import { probeRun } from './probe-bench.ts';

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

describe('a smoke check', () => {
  test('is sent again until it passes', async () => {
    const shop = await target((_request, response, number) => {
      response.writeHead(number < 4 ? 503 : 200).end('ready');
    });
    const outcome = await probeRun({ traffic: { url: shop.url } }).smoke([health], longEnoughMs);
    expect(outcome).toEqual({
      measured: true,
      checks: [{ check: health, passed: true, answer: 'HTTP 200: ready' }],
    });
    expect(shop.requests()).toBe(4);
  });

  test('that never passes reports the last answer, shortened and on one line', async () => {
    const shop = await target((_request, response) => {
      response.writeHead(500).end(`broken\n${'x'.repeat(500)}`);
    });
    const outcome = await probeRun({ traffic: { url: shop.url } }).smoke([health], 600);
    const answer = `HTTP 500: broken ${'x'.repeat(193)}`;
    expect(outcome).toEqual({ measured: true, checks: [{ check: health, passed: false, answer }] });
    expect(shop.requests()).toBeGreaterThan(1);
  });

  test('fails on the right status with the wrong body, and says so', async () => {
    const shop = await target((_request, response) => response.end('version 1'));
    const check = { ...health, expectBody: 'version 2' };
    const outcome = await probeRun({ traffic: { url: shop.url } }).smoke([check], 300);
    const answer = 'HTTP 200: version 1 (the body lacks the expected text)';
    expect(outcome).toEqual({ measured: true, checks: [{ check, passed: false, answer }] });
  });

  test('that is pinned carries the header, and waits until the version that is meant answers', async () => {
    const shop = await target((request, response, number) => {
      const isNew = request.headers['x-preview'] === 'next' && number > 3;
      response.writeHead(200, { 'x-version': isNew ? '2' : '1' }).end('ok');
    });
    const pinned = { pinnedBy: { name: 'X-Preview', value: 'next' }, versionHeader: 'X-Version' };
    const bench = probeRun({ traffic: { url: shop.url }, ...pinned });
    const check = { ...health, expectVersion: '2' };
    expect(await bench.smoke([check], longEnoughMs)).toMatchObject({
      checks: [{ passed: true, version: '2' }],
    });
    expect(shop.requests()).toBe(4);
    const other = { ...health, expectVersion: '3' };
    expect(await bench.smoke([other], 300)).toMatchObject({
      checks: [{ passed: false, answer: 'HTTP 200: ok (from version 2, not 3)' }],
    });
    const direct = probeRun({ traffic: 'cluster-ip', ...pinned });
    expect(await direct.smoke([check], longEnoughMs)).toEqual({
      measured: false,
      reason:
        'Environment staging declares that no gateway is on the way of users (traffic: cluster-ip).',
    });
  });

  test('of several, each has its own verdict', async () => {
    const shop = await target((request, response) => {
      response.writeHead(request.url === '/healthz' ? 200 : 404).end();
    });
    const cart = { path: '/cart', expectStatus: 200 };
    const outcome = await probeRun({ traffic: { url: shop.url } }).smoke([health, cart], 300);
    expect(outcome).toMatchObject({
      checks: [
        { check: health, passed: true },
        { check: cart, passed: false, answer: 'HTTP 404: (empty body)' },
      ],
    });
  });

  test('fails when nobody listens', async () => {
    const outcome = await probeRun({ traffic: { url: await closedAddress() } }).smoke(
      [health],
      300,
    );
    expect(outcome).toMatchObject({
      checks: [{ passed: false, answer: expect.stringContaining('ECONNREFUSED') }],
    });
  });
});

describe('the way to a service', () => {
  test('leads through the entry, with path prefix and the host of the service', async () => {
    const seen: string[] = [];
    const gateway = await target((request, response) => {
      seen.push(`${String(request.headers.host)} ${String(request.url)}`);
      response.end();
    });
    const traffic = { url: `${gateway.url}/eu/`, host: '{service}.example' };
    await probeRun({ traffic }).smoke([{ path: '/healthz?full=1', expectStatus: 200 }], 5_000);
    expect(seen).toEqual(['shop.example /eu/healthz?full=1']);
  });

  test('leads to the ClusterIP of the Service that is named like the service', async () => {
    const shop = await target((_request, response) => response.end());
    const outcome = await probeRun({
      traffic: 'cluster-ip',
      services: [
        { name: 'shop-metrics', port: 1 },
        { name: 'shop', port: shop.port },
      ],
      clusterIps: { shop: '127.0.0.1' },
    }).smoke([health], longEnoughMs);
    expect(outcome).toMatchObject({ measured: true, checks: [{ passed: true }] });
  });

  test.each([
    ['the release has no Service', [], {}],
    ['the Service is not there', [{ name: 'shop', port: 80 }], {}],
    ['the Service is headless', [{ name: 'shop', port: 80 }], { shop: 'None' }],
  ])('is missing when %s, which is no data', async (_case, services, clusterIps) => {
    const run = probeRun({ traffic: 'cluster-ip', services, clusterIps });
    await expect(run.smoke([health], 300)).rejects.toMatchObject({ type: 'NO_DATA' });
    await expect(run.watch({})).rejects.toMatchObject({ type: 'NO_DATA' });
  });

  test('is not measured where the environment carries no traffic', async () => {
    const reason = 'Environment staging declares that its pods carry no traffic (traffic: none).';
    const run = probeRun({ traffic: 'none' });
    expect(await run.smoke([health], 300)).toEqual({ measured: false, reason });
    expect(await run.watch({})).toEqual({ measured: false, reason });
  });

  test('is refused for an environment that the worker does not know', async () => {
    const run = probeRun({ traffic: 'none', environment: 'moon' });
    await expect(run.smoke([health], 300)).rejects.toMatchObject({
      type: 'ENVIRONMENT_UNKNOWN',
      nonRetryable: true,
      message: expect.stringContaining('moon'),
    });
  });
});
