import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that a test can cut. */
export interface SeverableLink {
  /** `host:port` that leads to the server. */
  address: string;
  /** Ends every connection and takes no new one. */
  sever(): Promise<void>;
}

export const startLink = async (server: { host: string; port: number }): Promise<SeverableLink> => {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    // What breaks off is the point of the exercise.
    socket.on('error', () => socket.destroy());
    return socket;
  };
  const listener = createServer((incoming) => {
    const outgoing = track(connect(server.port, server.host));
    track(incoming).pipe(outgoing).pipe(incoming);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${String((listener.address() as AddressInfo).port)}`,
    sever: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
