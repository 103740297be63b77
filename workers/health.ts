import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a readiness check found. */
export interface Readiness {
  ready: boolean;
  /** State of each pool, and of the server's namespace. */
  detail: Record<string, string>;
}

export interface HealthServer {
  /** `http://host:port`; below it are `/livez` and `/readyz`. */
  address: string;
  close(): Promise<void>;
}

/**
 * Serves `/livez` (the process answers) and `/readyz` (200 only while every pool
 * polls and the namespace is reachable; 503 with the reason otherwise).
 */
export const startHealthServer = async (options: {
  host: string;
  port: number;
  readiness: () => Promise<Readiness>;
}): Promise<HealthServer> => {
  const answer = async (path: string): Promise<{ status: number; body: unknown }> => {
    if (path === '/livez') return { status: 200, body: { alive: true } };
    if (path !== '/readyz') return { status: 404, body: { paths: ['/livez', '/readyz'] } };
    const readiness = await options.readiness();
    return { status: readiness.ready ? 200 : 503, body: readiness };
  };
  const server = createServer((request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?');
    void answer(path).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
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

const listen = (server: Server, { host, port }: { host: string; port: number }): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
