import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Answer } from './user-traffic.ts';

/** What users met, as a metric that Prometheus scrapes: the same numbers for both systems. */
export interface ExportedMetrics {
  /** `host:port` to scrape. */
  address: string;
  count(target: string, answer: Answer): void;
  /** Forgets when bad samples were first taken. */
  begin(target: string): void;
  /** When a sample with a new failure was first taken; undefined where none was. */
  firstBadSampleAtMs(target: string): number | undefined;
  close(): Promise<void>;
}

interface Counts {
  ok: number;
  failed: number;
  failedBefore: number;
  firstBadAtMs: number | undefined;
}

const linesOf = (target: string, { ok, failed }: Counts): string[] => [
  `shop_requests_total{target="${target}",outcome="ok"} ${String(ok)}`,
  `shop_requests_total{target="${target}",outcome="failed"} ${String(failed)}`,
];

export const startExportedMetrics = async (
  targets: readonly string[],
): Promise<ExportedMetrics> => {
  const all = new Map<string, Counts>(
    targets.map((target) => [
      target,
      { ok: 0, failed: 0, failedBefore: 0, firstBadAtMs: undefined },
    ]),
  );
  const of = (target: string): Counts => {
    const counts = all.get(target);
    if (counts === undefined) throw new Error(`${target} is not exported`);
    return counts;
  };
  const server = createServer((_request, response) => {
    for (const counts of all.values()) {
      if (counts.failed > counts.failedBefore) counts.firstBadAtMs ??= performance.now();
    }
    const lines = [...all].flatMap(([target, counts]) => linesOf(target, counts));
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`# TYPE shop_requests_total counter\n${lines.join('\n')}\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    count: (target, { failure }) => {
      of(target)[failure === undefined ? 'ok' : 'failed'] += 1;
    },
    begin: (target) => {
      const counts = of(target);
      counts.failedBefore = counts.failed;
      counts.firstBadAtMs = undefined;
    },
    firstBadSampleAtMs: (target) => of(target).firstBadAtMs,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

/** The failed share of the requests of the last two seconds; for both systems the same. */
export const failedShareQuery = (target: string): string =>
  `sum(increase(shop_requests_total{target="${target}",outcome="failed"}[2s]))` +
  ` / sum(increase(shop_requests_total{target="${target}"}[2s]))`;
