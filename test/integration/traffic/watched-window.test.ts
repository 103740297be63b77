import { afterEach, describe, expect, test } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import type { WatchOutcome } from '../../../activities/traffic/port.ts';
import { closedAddress, startTarget, type HttpTarget } from './http-target.ts';
import { probeRun, type ProbeRun, type WatchSettings } from './probe-bench.ts';

const open: HttpTarget[] = [];
const target = async (...args: Parameters<typeof startTarget>): Promise<HttpTarget> => {
  const started = await startTarget(...args);
  open.push(started);
  return started;
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((started) => started.close()));
});

const watch = async (
  url: string,
  settings: Partial<WatchSettings>,
  run: Partial<ProbeRun> = {},
): Promise<Extract<WatchOutcome, { measured: true }>['counts']> => {
  const outcome = await probeRun({ traffic: { url }, ...run }).watch(settings);
  if (!outcome.measured) throw new Error(outcome.reason);
  return outcome.counts;
};

/** Returns once nothing has arrived for thirty times the pause between two requests. */
const untilQuiet = async (shop: HttpTarget): Promise<void> => {
  for (let seen = -1; seen !== shop.requests();) {
    seen = shop.requests();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
};

describe('a watched window', () => {
  test('has as many samples as its length and rate say, and the service saw each', async () => {
    const shop = await target((_request, response) => response.end('ok'));
    const counts = await watch(shop.url, { windowMs: 1_000, requestsPerSecond: 150 });
    expect(counts).toMatchObject({ samples: 150, failures: 0, lastFailure: null });
    expect(shop.requests()).toBe(150);
  });

  test('opens a new connection for every second request', async () => {
    const shop = await target((_request, response) => response.end('ok'));
    await watch(shop.url, { windowMs: 400, requestsPerSecond: 100 });
    expect(shop.requests()).toBe(40);
    expect(shop.connections()).toBeGreaterThan(20);
    expect(shop.connections()).toBeLessThan(40);
  });

  test('counts answers of 400 and above as failed, and keeps the last one', async () => {
    const shop = await target((_request, response, number) => {
      response.writeHead(number % 2 === 0 ? 503 : 200).end(`answer ${String(number)}`);
    });
    const counts = await watch(shop.url, { windowMs: 200, requestsPerSecond: 100 });
    expect(counts).toMatchObject({ samples: 20, failures: 10, lastFailure: 'HTTP 503: answer 20' });
  });

  test('counts refused connections as failed', async () => {
    const counts = await watch(await closedAddress(), { windowMs: 100, requestsPerSecond: 100 });
    expect(counts).toMatchObject({ samples: 10, failures: 10 });
    expect(counts.lastFailure).toContain('ECONNREFUSED');
  });

  test('counts an answer that breaks off in its body as failed', async () => {
    const shop = await target((_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('only a little', () => response.socket?.destroy());
    });
    const counts = await watch(shop.url, { windowMs: 100, requestsPerSecond: 50 });
    expect(counts).toMatchObject({ samples: 5, failures: 5 });
  });

  test('does not mind a body that is longer than it reads', async () => {
    const shop = await target((_request, response) => response.end(Buffer.alloc(3_000_000)));
    const counts = await watch(shop.url, { windowMs: 100, requestsPerSecond: 50 });
    expect(counts).toMatchObject({ samples: 5, failures: 0 });
  });

  test('counts requests that are never answered as failed', async () => {
    const shop = await target(() => undefined);
    const counts = await watch(shop.url, { windowMs: 100, requestsPerSecond: 50 });
    expect(counts).toMatchObject({ samples: 5, failures: 5, lastFailure: 'no answer in time' });
  }, 20_000);

  test('measures latency by rank', async () => {
    const shop = await target((_request, response, number) => {
      setTimeout(() => response.end(), number === 20 ? 400 : 30);
    });
    const counts = await watch(shop.url, { windowMs: 200, requestsPerSecond: 100 });
    expect(counts.latencyP50Ms).toBeGreaterThanOrEqual(29);
    expect(counts.latencyP99Ms).toBeGreaterThanOrEqual(399);
    expect(counts.latencyP50Ms).toBeLessThan(counts.latencyP99Ms ?? 0);
  });

  test('ends early when enough requests have failed', async () => {
    const shop = await target((_request, response) => response.writeHead(500).end());
    const counts = await watch(shop.url, { windowMs: 60_000, stopAtFailures: 7 });
    expect(counts.failures).toBe(7);
    expect(counts.samples).toBe(7);
  });

  test('of half an hour is the longest', async () => {
    const watching = watch('http://127.0.0.1:9', { windowMs: 1_800_001 });
    await expect(watching).rejects.toMatchObject({ type: 'INVALID_INPUT' });
  });

  test('that is no longer wanted stops sending', async () => {
    let cancel = (): void => undefined;
    const shop = await target((_request, response, number) => {
      if (number === 10) cancel();
      // Answers stay out, so that only the cancellation can end what is under way.
      if (number < 10) response.end();
    });
    const run = probeRun({ traffic: { url: shop.url } });
    cancel = run.cancel;
    await expect(run.watch({ windowMs: 60_000 })).rejects.toThrow(CancelledFailure);
    // What was on its way over the wire may still arrive; at the old rate it would never be quiet.
    await untilQuiet(shop);
    expect(shop.requests()).toBeLessThan(600);
  });
});

describe('a heartbeat', () => {
  test('carries the running counts', async () => {
    const heartbeats: unknown[] = [];
    const shop = await target((_request, response) => response.writeHead(500).end());
    const run = probeRun({
      traffic: { url: shop.url },
      onHeartbeat: (details) => {
        if (heartbeats.push(details) === 3) run.cancel();
      },
    });
    await expect(run.watch({ windowMs: 60_000 })).rejects.toThrow(CancelledFailure);
    expect(heartbeats[0]).toMatchObject({ samples: 0, failures: 0 });
    expect(heartbeats[2]).toMatchObject({
      samples: expect.any(Number),
      failures: expect.any(Number),
      lastFailure: 'HTTP 500: (empty body)',
    });
  });

  test('lets the next attempt go on where a dead worker stopped', async () => {
    const shop = await target((_request, response) => response.end());
    const earlier = { elapsedMs: 59_800, samples: 900, failures: 3, lastFailure: 'HTTP 500: x' };
    const counts = await watch(
      shop.url,
      { windowMs: 60_000, requestsPerSecond: 100 },
      { info: { heartbeatDetails: earlier } },
    );
    expect(shop.requests()).toBe(20);
    expect(counts).toMatchObject({ samples: 920, failures: 3, lastFailure: 'HTTP 500: x' });
  });

  test('of an attempt that had seen enough failures ends the next one at once', async () => {
    const shop = await target((_request, response) => response.end());
    const earlier = { elapsedMs: 1_000, samples: 20, failures: 9, lastFailure: 'HTTP 500: x' };
    const counts = await watch(
      shop.url,
      { windowMs: 60_000, stopAtFailures: 9 },
      { info: { heartbeatDetails: earlier } },
    );
    expect(counts).toMatchObject({ samples: 20, failures: 9 });
  });
});
