import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createNotifications } from '../../../activities/notify/index.ts';
import type { Notification } from '../../../activities/notify/port.ts';

const notification: Notification = {
  id: 'deploy:staging:shop:2.4.1/needs-operator',
  event: 'needs-operator',
  service: 'shop',
  environment: 'staging',
  release: '2.4.1',
  workflowId: 'deploy:staging:shop:2.4.1',
  text: 'shop 2.4.1 needs an operator: Deployment/shop could not be put back.',
};

interface Received {
  method: string | undefined;
  headers: IncomingHttpHeaders;
  body: unknown;
}

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const startReceiver = async (
  status: number,
  headers: Record<string, string> = {},
): Promise<{ url: string; received: Received[] }> => {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      received.push({ method: request.method, headers: request.headers, body: JSON.parse(text) });
      response.writeHead(status, headers).end('thanks');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hooks`,
    received,
  };
};

const silent = createNotifications({ log: pino({ level: 'silent' }) });

const failureOf = (webhook: string): Promise<unknown> =>
  silent.send({ target: { webhook }, notification }).then(
    () => 'delivered',
    (error: unknown) => error,
  );

describe('a webhook', () => {
  test('receives the notification as JSON, with a key that is the same for every attempt', async () => {
    const { url, received } = await startReceiver(204);
    await silent.send({ target: { webhook: url }, notification });
    await silent.send({ target: { webhook: url }, notification });
    expect(received).toHaveLength(2);
    for (const request of received) {
      expect(request).toMatchObject({ method: 'POST', body: notification });
      expect(request.headers).toMatchObject({
        'content-type': 'application/json',
        'idempotency-key': notification.id,
      });
    }
  });

  test.each([500, 502, 503])('that answers %i is tried again', async (status) => {
    const { url } = await startReceiver(status);
    expect(await failureOf(url)).toMatchObject({ nonRetryable: false, type: 'INTERNAL' });
  });

  test('that asks to slow down is tried again when it says', async () => {
    const { url } = await startReceiver(429, { 'retry-after': '7' });
    expect(await failureOf(url)).toMatchObject({
      nonRetryable: false,
      type: 'RATE_LIMITED',
      nextRetryDelay: 7_000,
    });
  });

  test.each([302, 400, 404, 410])('that answers %i is given up', async (status) => {
    const { url, received } = await startReceiver(status, { location: 'http://127.0.0.1:9/' });
    expect(await failureOf(url)).toMatchObject({
      nonRetryable: true,
      type: 'INVALID_INPUT',
      message: expect.stringContaining(`HTTP ${String(status)}`),
    });
    expect(received).toHaveLength(1);
  });

  test('that is not there is tried again', async () => {
    expect(await failureOf('http://127.0.0.1:9/hooks')).toMatchObject({ nonRetryable: false });
  });

  test('keeps the query of its address out of the failure', async () => {
    const { url } = await startReceiver(404);
    const failure = await failureOf(`${url}?token=hush`);
    expect(failure).toMatchObject({ message: expect.stringContaining('/hooks') });
    expect(JSON.stringify(failure)).not.toContain('hush');
    expect(String(failure)).not.toContain('hush');
  });
});

test('a log target gets one line with the text and the whole notification', async () => {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  await createNotifications({ log }).send({ target: { log: true }, notification });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 30,
    msg: notification.text,
    notification,
  });
});

describe('a worker that knows where people see runs', () => {
  const run = { workflowId: 'deploy:staging:shop:2', runId: '01a1' };
  const link =
    'https://temporal.example/namespaces/default/workflows/deploy%3Astaging%3Ashop%3A2/01a1';
  const ui = { url: 'https://temporal.example/', namespace: 'default' };
  const sent = async (about: Partial<Notification>, known?: typeof ui): Promise<unknown> => {
    const { url, received } = await startReceiver(200);
    const notifications = createNotifications({ log: pino({ level: 'silent' }), ui: known });
    await notifications.send({
      target: { webhook: url },
      notification: { ...notification, ...run, ...about },
    });
    return received[0]?.body;
  };

  test('links to the run, and says so in a summary', async () => {
    const summary = { event: 'release.summary' as const, text: 'shop 2 is live.' };
    expect(await sent(summary, ui)).toMatchObject({
      link,
      text: `shop 2 is live.\nThe run: ${link}`,
    });
    expect(await sent({}, ui)).toMatchObject({ link, text: notification.text });
  });

  test('is needed for that: without the address there is no link', async () => {
    const body = await sent({ event: 'release.summary' });
    expect(body).not.toHaveProperty('link');
    expect(body).toMatchObject({ text: notification.text });
  });
});
