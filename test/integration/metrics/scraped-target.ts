import { setTimeout as delay } from 'node:timers/promises';
import { startTarget, type HttpTarget } from '../traffic/http-target.ts';

/** A process as Prometheus sees it: metrics that can be changed. */
export interface ScrapedTarget {
  address: string;
  /** Serves these numbers from now on; none take the metric away. */
  set(metric: string, numbers: readonly number[]): void;
  /** Whether it answers scrapes with an error from now on. */
  fail(failing: boolean): void;
  close(): Promise<void>;
}

const exposed = (number: number): string =>
  Number.isFinite(number) || Number.isNaN(number) ? String(number) : `${number > 0 ? '+' : '-'}Inf`;

const textOf = (metrics: ReadonlyMap<string, readonly number[]>): string =>
  [...metrics]
    .flatMap(([metric, numbers]) =>
      numbers.map((number, index) => `${metric}{series="${String(index)}"} ${exposed(number)}\n`),
    )
    .join('');

export const startScrapedTarget = async (): Promise<ScrapedTarget> => {
  const metrics = new Map<string, readonly number[]>();
  let failing = false;
  const target: HttpTarget = await startTarget((_request, response) => {
    if (failing) return void response.writeHead(500).end();
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(textOf(metrics));
  });
  return {
    address: `127.0.0.1:${String(target.port)}`,
    set: (metric, numbers) => void metrics.set(metric, numbers),
    fail: (next) => {
      failing = next;
    },
    close: async () => target.close(),
  };
};

interface VectorAnswer {
  data: { result: { value: [number, string] }[] };
}

/** Returns once Prometheus gives exactly these numbers for the metric, which is one scrape later. */
export const untilScraped = async (
  prometheusUrl: string,
  metric: string,
  numbers: readonly number[],
): Promise<void> => {
  const wanted = numbers.map(exposed).toSorted().join();
  for (;;) {
    const answer = await fetch(`${prometheusUrl}/api/v1/query?query=${metric}`);
    const { data } = (await answer.json()) as VectorAnswer;
    const given = data.result.map(({ value }) => value[1]);
    if (given.toSorted().join() === wanted) return;
    await delay(20);
  }
};
