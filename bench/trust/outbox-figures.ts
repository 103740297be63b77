import { performance } from 'node:perf_hooks';
import {
  addToOutbox,
  deliverWaiting,
  migrate,
  openStore,
} from '../../activities/store/postgres/index.ts';
import type { Figure } from '../figure.ts';

const transactions = 400;
const messagesEach = 25;
const target = 'https://example.com/events';

/** Messages added in transactions of their own and delivered in order; the target takes no time. */
export const measureOutbox = async (url: string): Promise<Omit<Figure, 'holds' | 'ratio'>[]> => {
  await using store = openStore(url);
  await migrate(store);
  const messages = Array.from({ length: messagesEach }, (_, index) => ({
    topic: 'bench',
    payload: { index, text: 'a release was approved by someone who may' },
  }));
  const startedAt = performance.now();
  for (let done = 0; done < transactions; done += 1) {
    await store.use(async (database) =>
      database
        .transaction()
        .execute(async (transaction) => addToOutbox(transaction, { target, atMs: 0, messages })),
    );
  }
  let delivered = 0;
  let last = 0;
  const deliver = async ({ number }: { number: number }) => {
    if (number !== last + 1) throw new Error('a message was delivered out of order');
    last = number;
    return Promise.resolve('delivered' as const);
  };
  for (;;) {
    const round = await deliverWaiting(store, { targets: [target], nowMs: 0, deliver });
    if (round.target === undefined) break;
    delivered += round.delivered;
  }
  const elapsedS = (performance.now() - startedAt) / 1_000;
  if (delivered !== transactions * messagesEach) throw new Error('messages were lost');
  return [
    { bench: 'trust', metric: 'outbox_per_s', value: delivered / elapsedS, unit: 'messages/s' },
  ];
};
