import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Connection } from '../e2e/checker/api-reader.ts';

/** A request on its way to the API server, as the fault plan sees it. */
export interface ProxiedRequest {
  method: string;
  /** Path and query. */
  path: string;
  userAgent: string;
  /** True for a write that the server would store: not a dry run, not a question. */
  mutating: boolean;
}

/**
 * What happens to a request. `lose-before`: the server never sees it.
 * `lose-after`: the server carries it out and the answer is lost. In both, `meanwhile`
 * runs before the connection is cut: it is where a worker gets killed.
 */
export type Fate =
  | { kind: 'forward' }
  | { kind: 'lose-before'; meanwhile: () => void }
  | { kind: 'lose-after'; meanwhile: () => void }
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body: unknown }
  | { kind: 'hold'; until: Promise<void> };

export interface FaultProxy {
  /** Address without TLS, for a kubeconfig without credentials. */
  url: string;
  /** Decides the fate of each request; forwarding everything is the default. */
  decide: (request: ProxiedRequest) => Fate;
  close(): Promise<void>;
}

const questions = /^\/apis\/(authorization|authentication)\.k8s\.io\//;

export const isMutating = (method: string, path: string): boolean =>
  method !== 'GET' && method !== 'HEAD' && !path.includes('dryRun=') && !questions.test(path);

const readAll = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  body: Buffer;
}

const dropped = new Set(['host', 'connection', 'transfer-encoding', 'content-length']);

const headersFor = (exchange: Exchange): Record<string, string | string[]> => {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(exchange.request.headers)) {
    if (value !== undefined && !dropped.has(name)) headers[name] = value;
  }
  if (exchange.body.length > 0) headers['content-length'] = String(exchange.body.length);
  return headers;
};

const cut = (exchange: Exchange): void => {
  exchange.request.socket.destroy();
};

const createForwarder = (connection: Connection, agent: https.Agent) => {
  return (exchange: Exchange, onAnswer: (answer: IncomingMessage) => void): void => {
    const upstream = https.request(
      new URL(exchange.request.url ?? '/', connection.server),
      {
        agent,
        method: exchange.request.method ?? 'GET',
        ca: connection.ca,
        cert: connection.cert,
        key: connection.key,
        headers: headersFor(exchange),
      },
      onAnswer,
    );
    upstream.on('error', () => {
      cut(exchange);
    });
    exchange.response.on('close', () => {
      if (!exchange.response.writableFinished) upstream.destroy();
    });
    upstream.end(exchange.body);
  };
};

const relay = (exchange: Exchange, answer: IncomingMessage): void => {
  exchange.response.writeHead(answer.statusCode ?? 502, answer.headers);
  exchange.response.flushHeaders();
  answer.on('error', () => {
    cut(exchange);
  });
  answer.pipe(exchange.response);
};

/**
 * Stands between a worker and a real API server and does to its requests what a
 * network and a dying process do: loses them before or after they took effect,
 * delays them, or answers for the server.
 */
export const startFaultProxy = async (connection: Connection): Promise<FaultProxy> => {
  const agent = new https.Agent({ keepAlive: true });
  const forward = createForwarder(connection, agent);

  const suffer = async (exchange: Exchange, fate: Fate): Promise<void> => {
    switch (fate.kind) {
      case 'forward':
        forward(exchange, (answer) => {
          relay(exchange, answer);
        });
        return;
      case 'lose-before':
        fate.meanwhile();
        cut(exchange);
        return;
      case 'lose-after':
        forward(exchange, (answer) => {
          void readAll(answer).then(() => {
            fate.meanwhile();
            cut(exchange);
          });
        });
        return;
      case 'answer':
        exchange.response.writeHead(fate.status, {
          'content-type': 'application/json',
          ...fate.headers,
        });
        exchange.response.end(JSON.stringify(fate.body));
        return;
      case 'hold':
        await fate.until;
        forward(exchange, (answer) => {
          relay(exchange, answer);
        });
    }
  };

  const proxy: FaultProxy = { url: '', decide: () => ({ kind: 'forward' }), close: noServerYet };
  const server = createServer((request, response) => {
    const method = request.method ?? 'GET';
    const path = request.url ?? '/';
    const seen: ProxiedRequest = {
      method,
      path,
      userAgent: request.headers['user-agent'] ?? '',
      mutating: isMutating(method, path),
    };
    readAll(request).then(
      (body) => suffer({ request, response, body }, proxy.decide(seen)),
      () => request.socket.destroy(),
    );
  });
  await listen(server);
  proxy.url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  proxy.close = () => shut(server, agent);
  return proxy;
};

const noServerYet = (): Promise<void> => Promise.resolve();

const listen = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });

const shut = (server: Server, agent: https.Agent): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    agent.destroy();
    server.close(() => {
      resolve();
    });
  });
