import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A service on loopback that counts what reaches it. */
export interface HttpTarget {
  url: string;
  port: number;
  requests(): number;
  connections(): number;
  close(): Promise<void>;
}

export const startTarget = async (
  answer: (request: IncomingMessage, response: ServerResponse, number: number) => void,
): Promise<HttpTarget> => {
  let requests = 0;
  let connections = 0;
  const server = createServer((request, response) => {
    requests += 1;
    answer(request, response, requests);
  });
  server.on('connection', () => {
    connections += 1;
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${String(port)}`,
    port,
    requests: () => requests,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** An address on which nobody listens any more. */
export const closedAddress = async (): Promise<string> => {
  const target = await startTarget((_request, response) => response.end());
  await target.close();
  return target.url;
};

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
