import { afterEach, describe, expect, test } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import type { ProbeCounts } from '../../../activities/traffic/port.ts';
import { startTarget } from './http-target.ts';
import { probeRun, type ProbeRun, type WatchSettings } from './probe-bench.ts';
import { startSplitter, type SplitVersion, type VersionSplitter } from './version-splitter.ts';

const open: { close(): Promise<void> }[] = [];
const split = async (...versions: SplitVersion[]): Promise<VersionSplitter> => {
  const splitter = await startSplitter(versions);
  open.push(splitter);
  return splitter;
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((started) => started.close()));
});

const watch = async (
  url: string,
  settings: Partial<WatchSettings>,
  run: Partial<ProbeRun> = {},
): Promise<ProbeCounts> => {
  const bench = probeRun({ traffic: { url }, versionHeader: 'X-Version', ...run });
  const outcome = await bench.watch(settings);
  if (!outcome.measured) throw new Error(outcome.reason);
  return outcome.counts;
};

/** By name, because the order is that of the answers. */
const byVersion = ({ versions }: Pick<ProbeCounts, 'versions'>): Record<string, unknown> =>
  Object.fromEntries((versions ?? []).map((counts) => [counts.version, counts]));

const failing: SplitVersion['answer'] = (response) => response.writeHead(500).end('broken');

describe('a window with two versions', () => {
  test('shows the share of each and charges failures to the one that failed', async () => {
    const { entry } = await split(
      { version: '1.0.0', share: 0.9 },
      { version: '2.0.0', share: 0.1, answer: failing },
    );
    const counts = await watch(entry.url, { windowMs: 1_000, requestsPerSecond: 200 });
    expect(counts).toMatchObject({ samples: 200, failures: 20 });
    expect(byVersion(counts)).toEqual({
      '1.0.0': expect.objectContaining({ samples: 180, failures: 0 }),
      '2.0.0': expect.objectContaining({ samples: 20, failures: 20 }),
    });
  });

  test('shows the latency of each', async () => {
    const { entry } = await split(
      { version: '1', share: 0.5 },
      {
        version: '2',
        share: 0.5,
        answer: (response) => void setTimeout(() => response.end(), 400),
      },
    );
    const { versions } = await watch(entry.url, { windowMs: 300, requestsPerSecond: 100 });
    const slow = versions?.find(({ version }) => version === '2')?.latencyP50Ms ?? Number.NaN;
    const quick = versions?.find(({ version }) => version === '1')?.latencyP50Ms ?? Number.NaN;
    expect(slow).toBeGreaterThanOrEqual(399);
    expect(quick).toBeLessThan(slow);
  });

  test('counts what the gateway itself answers under no version', async () => {
    const { entry, backends } = await split(
      { version: '1', share: 0.5 },
      { version: '2', share: 0.5 },
    );
    await backends.get('2')?.close();
    const counts = await watch(entry.url, { windowMs: 200, requestsPerSecond: 100 });
    expect(counts.lastFailure).toBe('HTTP 503: no backend');
    expect(byVersion(counts)).toEqual({
      '1': expect.objectContaining({ samples: 10, failures: 0 }),
      '': expect.objectContaining({ samples: 10, failures: 10 }),
    });
  });

  test('counts refused connections under no version', async () => {
    const splitter = await startSplitter([{ version: '1', share: 1 }]);
    await splitter.close();
    const counts = await watch(splitter.entry.url, { windowMs: 100, requestsPerSecond: 100 });
    expect(counts.versions).toEqual([
      expect.objectContaining({ version: '', samples: 10, failures: 10 }),
    ]);
  });

  test('charges an answer that breaks off to the version that began it', async () => {
    const shop = await startTarget((_request, response) => {
      response.writeHead(200, { 'x-version': '2', 'content-length': 1_000 });
      response.write('only a little', () => response.socket?.destroy());
    });
    open.push(shop);
    const counts = await watch(shop.url, { windowMs: 100, requestsPerSecond: 50 });
    expect(counts.versions).toEqual([
      expect.objectContaining({ version: '2', samples: 5, failures: 5 }),
    ]);
  });

  test('ends when one of them has failed often enough, long before all would have', async () => {
    const { entry } = await split(
      { version: '1', share: 0.9 },
      { version: '2', share: 0.1, answer: failing },
    );
    const counts = await watch(entry.url, {
      windowMs: 60_000,
      requestsPerSecond: 200,
      stopAtFailures: 1_000,
      stopAtFailuresOf: { version: '2', failures: 3 },
    });
    expect(counts).toMatchObject({ failures: 3 });
    expect(counts.versions).toContainEqual(expect.objectContaining({ version: '2', failures: 3 }));
  });

  test('tells apart ten versions and the one that is watched, and lumps the rest', async () => {
    const shop = await startTarget((_request, response, number) => {
      response.writeHead(number === 25 ? 500 : 200, { 'x-version': `v${String(number)}` }).end();
    });
    open.push(shop);
    const counts = await watch(shop.url, {
      windowMs: 300,
      requestsPerSecond: 100,
      stopAtFailuresOf: { version: 'v25', failures: 2 },
    });
    const seen = new Map(counts.versions?.map((of) => [of.version, of]));
    expect(seen.size).toBe(12);
    expect(seen.get('v25')).toMatchObject({ samples: 1, failures: 1 });
    expect(seen.get('other')).toMatchObject({ samples: 19, failures: 0 });
  });
});

describe('a heartbeat of a window with two versions', () => {
  test('carries the running counts of each', async () => {
    const heartbeats: unknown[] = [];
    const { entry } = await split(
      { version: '1', share: 0.5 },
      { version: '2', share: 0.5, answer: failing },
    );
    const run = probeRun({
      traffic: { url: entry.url },
      versionHeader: 'X-Version',
      onHeartbeat: (details) => {
        if (heartbeats.push(details) === 2) run.cancel();
      },
    });
    await expect(run.watch({ windowMs: 60_000 })).rejects.toThrow(CancelledFailure);
    expect(heartbeats[0]).toMatchObject({ samples: 0, versions: [] });
    expect(byVersion(heartbeats[1] as ProbeCounts)).toEqual({
      '1': { version: '1', samples: expect.any(Number), failures: 0 },
      '2': { version: '2', samples: expect.any(Number), failures: expect.any(Number) },
    });
  });

  const earlier = {
    elapsedMs: 59_800,
    samples: 900,
    failures: 3,
    lastFailure: 'HTTP 500: x',
    versions: [
      { version: '1', samples: 810, failures: 0 },
      { version: '2', samples: 90, failures: 3 },
    ],
  };

  test('lets the next attempt go on where a dead worker stopped', async () => {
    const { entry } = await split({ version: '1', share: 0.5 }, { version: '2', share: 0.5 });
    const counts = await watch(
      entry.url,
      { windowMs: 60_000, requestsPerSecond: 100 },
      { info: { heartbeatDetails: earlier } },
    );
    expect(counts).toMatchObject({ samples: 920, failures: 3 });
    expect(counts.versions).toMatchObject([
      { version: '1', samples: 820, failures: 0 },
      { version: '2', samples: 100, failures: 3 },
    ]);
  });

  test('that had seen enough of a version ends the next attempt at once', async () => {
    const { entry } = await split({ version: '1', share: 1 });
    const counts = await watch(
      entry.url,
      { windowMs: 60_000, stopAtFailuresOf: { version: '2', failures: 3 } },
      { info: { heartbeatDetails: earlier } },
    );
    expect(counts).toMatchObject({ samples: 900, failures: 3, latencyP50Ms: null });
    expect(entry.requests()).toBe(0);
  });
});

describe('new and kept connections', () => {
  const connectionsAt = async (newConnectionPercent: number): Promise<number> => {
    const shop = await startTarget((_request, response) => response.end('ok'));
    open.push(shop);
    const settings = { windowMs: 500, requestsPerSecond: 100, newConnectionPercent };
    const counts = await watch(shop.url, settings);
    expect(counts).toMatchObject({ samples: 50, failures: 0 });
    return shop.connections();
  };

  test('come in the share that is asked for', async () => {
    expect(await connectionsAt(100)).toBe(50);
    expect(await connectionsAt(0)).toBeLessThan(25);
  });

  test('both reach every version, also behind a gateway that deals out in strict turns', async () => {
    const seen = { '0': { kept: 0, new: 0 }, '1': { kept: 0, new: 0 } };
    const known = new WeakSet<object>();
    const shop = await startTarget((request, response, number) => {
      const version = number % 2 === 0 ? '0' : '1';
      seen[version][known.has(request.socket) ? 'kept' : 'new'] += 1;
      known.add(request.socket);
      response.writeHead(200, { 'x-version': version }).end();
    });
    open.push(shop);
    await watch(shop.url, { windowMs: 1_000, requestsPerSecond: 100 });
    for (const { kept, new: opened } of Object.values(seen)) {
      expect(Math.min(kept, opened)).toBeGreaterThan(8);
    }
  });
});
