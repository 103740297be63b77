import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createApiClient } from '../../../activities/kubernetes/api-client.ts';
import { openConnection } from '../../../activities/kubernetes/api-connection.ts';
import { runInPod } from '../../../activities/kubernetes/pod-command.ts';

/** Of RFC 6455: what a server appends to the key to show that it speaks WebSocket. */
const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** One binary frame of a server: the channel, then its content. */
const frame = (channel: number, content: string): Buffer => {
  const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(content)]);
  const length = Buffer.alloc(4, 126);
  length[0] = 0x82;
  length.writeUInt16BE(payload.length, 2);
  const head = length.subarray(0, payload.length < 126 ? 2 : 4);
  if (payload.length < 126) head[1] = payload.length;
  return Buffer.concat([head, payload]);
};

const servers: Server[] = [];
/** An upgraded connection is not the server's any more. */
const upgraded: Duplex[] = [];

/** An API server that upgrades and says these frames; undefined refuses. */
const apiSaying = async (frames: readonly Buffer[] | undefined) => {
  const asked: string[] = [];
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    asked.push(request.url ?? '');
    upgraded.push(socket);
    if (frames === undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const key = `${request.headers['sec-websocket-key'] ?? ''}${magic}`;
    socket.write(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}`,
        'Sec-WebSocket-Protocol: v5.channel.k8s.io',
        '\r\n',
      ].join('\r\n'),
    );
    for (const bytes of frames) socket.write(bytes);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connection = openConnection({
    server: `http://127.0.0.1:${String(port)}`,
    proxyUrl: undefined,
    credentials: () => Promise.resolve({}),
  });
  const api = createApiClient(connection);
  const cluster = { api, environment: 'e', namespace: 'shop', carriesTraffic: true, uid: 'u' };
  const run = (timeoutMs = 60_000) =>
    runInPod(cluster, { pod: 'shop-1', container: 'main', command: ['a b', '--c'], timeoutMs });
  return { run, asked };
};

afterEach(() => {
  for (const socket of upgraded.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const success = frame(3, JSON.stringify({ status: 'Success' }));
const exitCode = (code: number): Buffer =>
  frame(
    3,
    JSON.stringify({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      message: `command terminated with non-zero exit code: exit status ${String(code)}`,
      details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
    }),
  );

describe('a command in a pod', () => {
  test('is asked for with each of its arguments, and both outputs are read', async () => {
    const { run, asked } = await apiSaying([frame(1, 'one '), frame(2, 'two'), success]);
    const result = await run();
    expect(result).toMatchObject({ exitCode: 0, reason: '' });
    expect(result.output.toString()).toBe('one two');
    expect(asked).toEqual([
      '/api/v1/namespaces/shop/pods/shop-1/exec?container=main&stdout=true&stderr=true&command=a+b&command=--c',
    ]);
  });

  test('that fails gives its exit code', async () => {
    const { run } = await apiSaying([exitCode(137)]);
    expect(await run()).toMatchObject({ exitCode: 137 });
  });

  test('that cannot be started gives no exit code, and says why', async () => {
    const message = 'exec: "nothing": executable file not found in $PATH';
    const status = JSON.stringify({ status: 'Failure', reason: 'InternalError', message });
    const { run } = await apiSaying([frame(3, status)]);
    expect(await run()).toMatchObject({ exitCode: null, reason: message });
  });

  test('that does not end in time gives no exit code, and what it wrote so far', async () => {
    const { run } = await apiSaying([frame(1, 'begun')]);
    const result = await run(300);
    expect(result).toMatchObject({ exitCode: null, reason: 'it did not end in time' });
  });

  test('keeps the end of a long output', async () => {
    const lines = Array.from({ length: 80 }, () => frame(1, 'x'.repeat(1_000)));
    const { run } = await apiSaying([...lines, frame(1, 'the end'), success]);
    const { output } = await run();
    expect(output.length).toBe(64 * 1024);
    expect(output.toString()).toMatch(/the end$/);
  });

  test('that the API server refuses is no result at all', async () => {
    const { run } = await apiSaying(undefined);
    await expect(run()).rejects.toThrow('broke off or was refused');
  });
});
