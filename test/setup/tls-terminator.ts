import { readFileSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { CertificateFiles } from '../../sandbox/kubernetes/certificates.ts';

/** In front of a server that itself speaks without TLS: lets in who has a certificate. */
export interface TlsTerminator {
  /** `host:port` that takes TLS. */
  address: string;
  /** Common names of the clients that were let in. */
  clients: ReadonlySet<string>;
  close(): void;
}

export const startTlsTerminator = async (options: {
  server: { host: string; port: number };
  certificate: CertificateFiles;
  /** Signs the certificates of clients. */
  authority: CertificateFiles;
}): Promise<TlsTerminator> => {
  const { server, certificate, authority } = options;
  const clients = new Set<string>();
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    // Either side may go first.
    socket.on('error', () => socket.destroy());
    return socket;
  };
  const listener = createServer(
    {
      cert: readFileSync(certificate.certificatePath),
      key: readFileSync(certificate.keyPath),
      ca: readFileSync(authority.certificatePath),
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ['h2'],
    },
    (incoming) => {
      clients.add(String(incoming.getPeerCertificate().subject.CN));
      const outgoing = track(connect(server.port, server.host));
      track(incoming).pipe(outgoing).pipe(incoming);
    },
  );
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${String((listener.address() as AddressInfo).port)}`,
    clients,
    close: () => {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
};
