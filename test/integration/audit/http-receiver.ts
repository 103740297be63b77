import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { CloudEvent } from '../../../activities/store/audit/cloud-event.ts';

export interface HttpReceiver extends AsyncDisposable {
  url: string;
  /** Batches in the order in which they came. */
  batches: CloudEvent[][];
  /** What the receiver does with a request; 204 unless told otherwise. */
  answer: (batch: CloudEvent[]) => number | 'hang up' | Promise<number | 'hang up'>;
}

/** A real server for CloudEvents, which can be told to fail. */
export const startHttpReceiver = async (): Promise<HttpReceiver> => {
  const server = createServer((request, response) => {
    void (async () => {
      const batch = JSON.parse(await text(request)) as CloudEvent[];
      const answer = await receiver.answer(batch);
      if (answer === 'hang up') {
        request.socket.destroy();
        return;
      }
      if (answer < 300) receiver.batches.push(batch);
      response.writeHead(answer).end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: HttpReceiver = {
    url: `http://127.0.0.1:${String(port)}/events`,
    batches: [],
    answer: () => 204,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
};
