/** WebSockets that stay open until one of the sides ends them, counted by the pod they are on. */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

interface OpenSocket {
  readonly pod: string;
  readonly socket: Socket;
}

export interface SocketTarget {
  readonly url: string;
  readonly host: string;
}

export interface OpenSockets {
  /** `host:port`, where Prometheus finds how many are open, by pod. */
  readonly metricsAddress: string;
  /** Opens more of them through the gateway; answers their pods. */
  open(target: SocketTarget, count: number): Promise<string[]>;
  /** How many of them the other side ended. */
  cut(): number;
  /** Ends all of them from this side. */
  end(): void;
  close(): void;
}

export async function startOpenSockets(): Promise<OpenSockets> {
  const open = new Set<OpenSocket>();
  const pods = new Set<string>();
  let cut = 0;
  const metrics = createServer((_request, response) => {
    const lines = [...pods].map((pod) => {
      const count = [...open].filter((one) => one.pod === pod).length;
      return `open_sockets{socket_pod="${pod}"} ${String(count)}\n`;
    });
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(lines.join(''));
  });
  metrics.listen(0, '127.0.0.1');
  await once(metrics, 'listening');
  const openOne = async (target: SocketTarget): Promise<string> => {
    const one = await handshake(target);
    open.add(one);
    pods.add(one.pod);
    one.socket.on('error', () => undefined);
    one.socket.on('close', () => {
      if (open.delete(one)) cut += 1;
    });
    one.socket.resume();
    return one.pod;
  };
  const end = (): void => {
    for (const one of open) {
      open.delete(one);
      one.socket.destroy();
    }
  };
  return {
    metricsAddress: `127.0.0.1:${String((metrics.address() as AddressInfo).port)}`,
    open: (target, count) =>
      Promise.all(Array.from({ length: count }, async () => openOne(target))),
    cut: () => cut,
    end,
    close: () => {
      end();
      metrics.close();
    },
  };
}

async function handshake(target: SocketTarget): Promise<OpenSocket> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...{ host: target.host, connection: 'Upgrade', upgrade: 'websocket' },
      ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'c2l4dGVlbiBvY3RldHMhIQ==' },
    };
    const outgoing = request(new URL('/socket', target.url), { headers, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', ({ statusCode }) => {
      reject(new Error(`no WebSocket: HTTP ${String(statusCode)}`));
    });
    outgoing.on('upgrade', (answer: IncomingMessage, socket: Socket) => {
      resolve({ pod: String(answer.headers['x-pod']), socket });
    });
    outgoing.end();
  });
}
