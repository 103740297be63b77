import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createPrometheusMetrics } from '../../../activities/metrics/index.ts';
import type { QueryOutcome } from '../../../activities/metrics/port.ts';
import {
  EnvironmentsFile,
  type EnvironmentMapping,
} from '../../../contracts/shared/environments-file.ts';
import { startTarget, type HttpTarget } from '../traffic/http-target.ts';

type Prometheus = NonNullable<EnvironmentMapping['metrics']>['prometheus'];

let directory: string;
const targets: HttpTarget[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-metrics-access-'));
});

afterEach(async () => {
  await Promise.all(targets.splice(0).map(async (target) => target.close()));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

const target = async (
  answer: (request: IncomingMessage, response: ServerResponse, number: number) => void,
): Promise<HttpTarget> => {
  const started = await startTarget(answer);
  targets.push(started);
  return started;
};

const ask = async (prometheus: Prometheus, timeoutMs = 5_000): Promise<QueryOutcome> =>
  createPrometheusMetrics({
    environments: {
      environments: {
        staging: { context: 'c', namespace: 'n', traffic: 'none', metrics: { prometheus } },
      },
    },
    directory,
    timeoutMs,
  }).query({ environment: 'staging', query: 'up' });

const one = JSON.stringify({
  status: 'success',
  data: { resultType: 'scalar', result: [1_700_000_000.5, '1'] },
});

const refusal = (errorType: string, error: string): string =>
  JSON.stringify({ status: 'error', errorType, error });

describe('the way to Prometheus', () => {
  test('keeps the path of its address, and its own clock tells the time', async () => {
    const seen: string[] = [];
    const server = await target((request, response) => {
      seen.push(`${String(request.method)} ${String(request.url)}`);
      response.end(one);
    });
    const outcome = await ask({ url: `${server.url}/team-a/prometheus/` });
    expect(outcome).toMatchObject({ state: 'value', value: 1, atMs: 1_700_000_000_500 });
    expect(seen).toEqual(['POST /team-a/prometheus/api/v1/query']);
  });

  test('opens with a token, which is read anew for each query', async () => {
    const seen: unknown[] = [];
    const server = await target((request, response) => {
      seen.push(request.headers.authorization);
      response.end(one);
    });
    const file = path.join(directory, 'token');
    for (const token of ['first', 'second\n']) {
      await writeFile(file, token);
      await ask({ url: server.url, tokenFile: 'token' });
    }
    await ask({ url: server.url });
    expect(seen).toEqual(['Bearer first', 'Bearer second', undefined]);
  });

  test('opens with a name and a password', async () => {
    const seen: unknown[] = [];
    const server = await target((request, response) => {
      seen.push(request.headers.authorization);
      response.end(one);
    });
    await writeFile(path.join(directory, 'password'), 'pass word:ü\n');
    await ask({ url: server.url, basicAuth: { username: 'reader', passwordFile: 'password' } });
    const expected = Buffer.from('reader:pass word:ü').toString('base64');
    expect(seen).toEqual([`Basic ${expected}`]);
  });

  test.each([
    ['is missing', undefined, 'ENOENT'],
    ['is empty', '\n', 'one word of ASCII'],
    ['would break the header', 'secret\nmore: secret', 'one word of ASCII'],
  ])('stays closed when the token %s, and the token is not told', async (_how, text, reason) => {
    const server = await target((_request, response) => response.end(one));
    const tokenFile = `token-${String(text?.length)}`;
    if (text !== undefined) await writeFile(path.join(directory, tokenFile), text);
    const error = await ask({ url: server.url, tokenFile }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      type: 'CONFIGURATION_INVALID',
      nonRetryable: true,
      message: expect.stringContaining(reason),
    });
    expect(JSON.stringify(error)).not.toContain('secret');
    expect(server.requests()).toBe(0);
  });

  test('is not followed elsewhere: a token goes only where someone sent it', async () => {
    const elsewhere = await target((_request, response) => response.end(one));
    const server = await target((_request, response) => {
      response.writeHead(307, { location: `${elsewhere.url}/api/v1/query` }).end();
    });
    await expect(ask({ url: server.url })).rejects.toMatchObject({ type: 'METRICS_UNAVAILABLE' });
    expect(elsewhere.requests()).toBe(0);
  });
});

describe('an answer that is none', () => {
  test.each([
    [401, 'unauthorized', { type: 'METRICS_ACCESS_DENIED', nonRetryable: true }],
    [403, 'RBAC: access denied', { type: 'METRICS_ACCESS_DENIED', nonRetryable: true }],
    [
      400,
      refusal('bad_data', 'parse error'),
      { type: 'METRICS_QUERY_INVALID', nonRetryable: true },
    ],
    [400, '<html>bad request</html>', { type: 'METRICS_UNAVAILABLE', nonRetryable: false }],
    [
      422,
      refusal('execution', 'many-to-many'),
      { type: 'METRICS_QUERY_FAILED', nonRetryable: false },
    ],
    [404, '404 page not found', { type: 'METRICS_UNAVAILABLE', nonRetryable: false }],
    [429, 'slow down', { type: 'RATE_LIMITED', nonRetryable: false }],
    [
      500,
      refusal('internal', 'out of order'),
      { type: 'METRICS_UNAVAILABLE', nonRetryable: false },
    ],
    [502, '<html>bad gateway</html>', { type: 'METRICS_UNAVAILABLE', nonRetryable: false }],
    [
      503,
      refusal('timeout', 'query timed out'),
      { type: 'METRICS_UNAVAILABLE', nonRetryable: false },
    ],
    [200, '<html>log in</html>', { type: 'METRICS_UNAVAILABLE', nonRetryable: false }],
    [200, '{"status":"success"}', { type: 'METRICS_UNAVAILABLE', nonRetryable: false }],
    [200, one.slice(0, 20), { type: 'METRICS_UNAVAILABLE', nonRetryable: false }],
  ])('HTTP %d with %s is %j', async (status, body, failure) => {
    const server = await target((_request, response) => {
      response.writeHead(status).end(body);
    });
    await expect(ask({ url: server.url })).rejects.toMatchObject(failure);
  });

  test('says when to ask again', async () => {
    const server = await target((_request, response) => {
      response.writeHead(429, { 'retry-after': '7' }).end();
    });
    await expect(ask({ url: server.url })).rejects.toMatchObject({ nextRetryDelay: 7_000 });
  });

  test('that does not come in time is not waited for', async () => {
    const server = await target(() => undefined);
    await expect(ask({ url: server.url }, 100)).rejects.toMatchObject({
      type: 'METRICS_UNAVAILABLE',
      message: expect.stringContaining('no answer within 100 ms'),
    });
  });

  test('that breaks off is none', async () => {
    const server = await target((_request, response) => {
      response.writeHead(200, { 'content-length': one.length });
      response.write(one.slice(0, -5));
      response.destroy();
    });
    await expect(ask({ url: server.url })).rejects.toMatchObject({ type: 'METRICS_UNAVAILABLE' });
  });

  test('that is too large is not read', async () => {
    const server = await target((_request, response) => response.end('x'.repeat(5_000_001)));
    await expect(ask({ url: server.url })).rejects.toMatchObject({
      type: 'METRICS_QUERY_INVALID',
      message: expect.stringContaining('larger than 5 MB'),
    });
  });

  test('with histograms is refused, with what to do instead', async () => {
    const result = [{ metric: {}, histogram: [1, { count: '1', sum: '1' }] }];
    const server = await target((_request, response) => {
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    });
    await expect(ask({ url: server.url })).rejects.toMatchObject({
      type: 'METRICS_QUERY_INVALID',
      message: expect.stringContaining('take a quantile'),
    });
  });
});

describe('metrics in environments.yaml', () => {
  const parse = (prometheus: object) =>
    EnvironmentsFile.safeParse({
      environments: { staging: { context: 'c', namespace: 'n', metrics: { prometheus } } },
    });
  const url = 'https://prometheus.internal/team';

  test.each([
    { url },
    { url, tokenFile: 'token' },
    { url, basicAuth: { username: 'reader', passwordFile: 'password' } },
  ])('may say %j', (prometheus) => {
    expect(parse(prometheus).success).toBe(true);
  });

  test.each([
    [{}, 'url'],
    [{ url: 'prometheus.internal' }, 'url'],
    [{ url: 'https://reader:secret@prometheus.internal' }, 'credentials'],
    [{ url, tokenFile: 't', basicAuth: { username: 'r', passwordFile: 'p' } }, 'not both'],
    [{ url, token: 'secret' }, 'token'],
  ])('must not say %j', (prometheus, reason) => {
    expect(JSON.stringify(parse(prometheus).error?.issues)).toContain(reason);
  });
});
