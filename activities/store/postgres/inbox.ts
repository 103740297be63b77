import type { Transaction } from 'kysely';
import type { Store } from './open-store.ts';
import { schemaName, type StoreSchema } from './schema.ts';

/** A message that may come more than once. */
export interface Received {
  consumer: string;
  messageId: string;
  atMs: number;
}

/**
 * Does the work for a message once, however often it comes: that it came is noted in the
 * transaction of the work. Returns whether this was the time.
 */
export const receiveOnce = async (
  store: Store,
  { consumer, messageId, atMs }: Received,
  work: (transaction: Transaction<StoreSchema>) => Promise<void>,
): Promise<boolean> =>
  store.use(async (database) =>
    database.transaction().execute(async (transaction) => {
      const noted = await transaction
        .withSchema(schemaName)
        .insertInto('inbox_message')
        .values({ consumer, message_id: messageId, received_at: new Date(atMs) })
        .onConflict((conflict) => conflict.doNothing())
        .returning('message_id')
        .executeTakeFirst();
      if (noted === undefined) return false;
      await work(transaction);
      return true;
    }),
  );
