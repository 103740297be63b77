import { readdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { sandboxDown, startPrometheus } from '../../../sandbox/index.ts';
import { findByEnvironment } from '../../../sandbox/state/process-identity.ts';
import { isPortFree } from '../../../sandbox/state/ports.ts';
import { createProcessRecords } from '../../../sandbox/state/process-record.ts';
import { startTarget, type HttpTarget } from '../traffic/http-target.ts';

// The first machine to run this builds Prometheus.
jest.setTimeout(20 * 60_000);

let parent: string;
let stateDirectory: string;
const targets: HttpTarget[] = [];

beforeAll(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'holdfast-prometheus-'));
  stateDirectory = path.join(parent, 'state');
});

afterAll(async () => {
  await sandboxDown(stateDirectory);
  await Promise.all(targets.map(async (target) => target.close()));
  await rm(parent, { recursive: true, force: true });
});

const servingMetric = async (line: string): Promise<string> => {
  const target = await startTarget((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(`${line}\n`);
  });
  targets.push(target);
  return `127.0.0.1:${String(target.port)}`;
};

const start = (scrapes: Parameters<typeof startPrometheus>[0]['scrapes']) =>
  startPrometheus({ stateDirectory, scrapes, scrapeEveryMs: 100, onProgress: () => undefined });

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
};

interface Answer {
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

/** Asks until there is something, which is one scrape later. */
const firstValue = async (url: string, query: string): Promise<string> => {
  for (;;) {
    const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await answer.json()) as Answer;
    const value = data.result[0]?.value[1];
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

describe('Prometheus of the sandbox', () => {
  test('scrapes the targets that it is given, and takes others while it runs', async () => {
    const first = await start([{ job: 'shop', targets: [await servingMetric('orders 41')] }]);
    expect(await firstValue(first.url, 'orders{job="shop"}')).toBe('41');
    const second = await start([{ job: 'cart', targets: [await servingMetric('carts 7')] }]);
    expect(second.url).toBe(first.url);
    expect(await firstValue(second.url, 'carts{job="cart"}')).toBe('7');
    expect(await firstValue(second.url, 'max_over_time(orders[1m])')).toBe('41');
  });

  test('evaluates the rules that are put into its directory', async () => {
    const { url, rulesDirectory } = await start([]);
    const rules = { groups: [{ name: 'a', rules: [{ record: 'answer', expr: 'vector(42)' }] }] };
    await writeFile(path.join(rulesDirectory, 'a.yaml'), JSON.stringify(rules));
    expect((await fetch(`${url}/-/reload`, { method: 'POST' })).status).toBe(200);
    expect(await firstValue(url, 'answer')).toBe('42');
  });

  test('says why it goes on with its old targets when a rule file is wrong', async () => {
    const { rulesDirectory } = await start([]);
    const file = path.join(rulesDirectory, 'wrong.yaml');
    await writeFile(file, 'groups: 1');
    await expect(start([])).rejects.toMatchObject({
      code: 'SANDBOX_START_FAILED',
      message: expect.stringContaining('goes on with the old ones'),
    });
    await rm(file);
    await start([]);
  });

  test('that was killed comes back at its address with what it had measured', async () => {
    const before = await start([{ job: 'shop', targets: [await servingMetric('kept 5')] }]);
    await firstValue(before.url, 'kept');
    const record = await createProcessRecords(path.join(stateDirectory, 'processes')).read(
      'prometheus',
    );
    process.kill(record?.identity?.pid ?? 0, 'SIGKILL');
    await until(async () => isPortFree(Number(new URL(before.url).port)));
    const after = await start([]);
    expect(after.url).toBe(before.url);
    expect(await firstValue(after.url, 'max_over_time(kept[1m])')).toBe('5');
  });

  test('leaves neither processes nor files behind', async () => {
    await start([]);
    await sandboxDown(stateDirectory);
    expect(await readdir(parent)).toEqual([]);
    expect(
      await findByEnvironment(`HOLDFAST_SANDBOX_PROCESS=${stateDirectory}#prometheus`),
    ).toEqual([]);
  });
});
