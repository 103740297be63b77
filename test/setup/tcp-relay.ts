import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Hands bytes on, so that a test can cut connections and see how clients begin them. */
export interface TcpRelay {
  /** `host:port` that leads to the target. */
  readonly address: string;
  /** The first bytes of each connection so far. */
  readonly beginnings: readonly Buffer[];
  /** Ends every connection at once, as a server that goes down does. */
  cut(): void;
  /** Ends every connection and takes no new one. */
  close(): Promise<void>;
}

/** Where there is nothing to relay to, connections end after their first bytes, or get no answer. */
export async function startTcpRelay(
  target: { host: string; port: number } | 'end' | 'silence' = 'end',
): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  const beginnings: Buffer[] = [];
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((socket) => {
    keep(socket);
    socket.once('data', (bytes) => {
      beginnings.push(bytes);
      if (target === 'end') socket.destroy();
    });
    if (typeof target === 'string') return;
    const onward = connect(target);
    keep(onward);
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    beginnings,
    cut,
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
