import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a readiness check found. */
export interface Readiness {
  ready: boolean;
  /** State of each pool, and of the server's namespace. */
  detail: Record<string, string>;
}

export interface HealthServer {
  /** `http://host:port`; below it are `/livez`, `/readyz` and perhaps `/metrics`. */
  address: string;
  close(): Promise<void>;
}

/**
 * Serves `/livez` (the process answers) and `/readyz` (200 only while every pool
 * polls and the namespace is reachable; 503 with the reason otherwise). `/metrics` is what
 * `metrics` gives, as text for Prometheus, where there is a store to count from.
 */
export const startHealthServer = async (options: {
  host: string;
  port: number;
  readiness: () => Promise<Readiness>;
  metrics?: (() => Promise<string>) | undefined;
}): Promise<HealthServer> => {
  const { readiness, metrics } = options;
  const paths = ['/livez', '/readyz', ...(metrics === undefined ? [] : ['/metrics'])];
  const answer = async (path: string): Promise<Answer> => {
    if (path === '/livez') return json(200, { alive: true });
    if (path === '/metrics' && metrics !== undefined) {
      return { status: 200, type: 'text/plain; version=0.0.4', body: await metrics() };
    }
    if (path !== '/readyz') return json(404, { paths });
    const state = await readiness();
    return json(state.ready ? 200 : 503, state);
  };
  const server = createServer((request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?');
    void answer(path)
      .catch((error: unknown) => json(500, { error: String(error) }))
      .then(({ status, type, body }) => {
        response.writeHead(status, { 'content-type': type });
        response.end(body);
      });
  });
  const port = await listen(server, options);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    address: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

interface Answer {
  status: number;
  type: string;
  body: string;
}

const json = (status: number, body: unknown): Answer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(body),
});

const listen = (server: Server, { host, port }: { host: string; port: number }): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
