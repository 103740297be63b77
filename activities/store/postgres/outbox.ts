import { sql, type Transaction } from 'kysely';
import { backoffMs } from '../../../domain/store/delivery-backoff.ts';
import type { Store } from './open-store.ts';
import { schemaName, type StoreSchema } from './schema.ts';

/** What is to be told, in the order of the numbers of its target. */
export interface OutboxMessage {
  target: string;
  /** From 1, without gaps. */
  number: number;
  topic: string;
  payload: unknown;
}

/** A target takes it, or says that it never will; one that does not answer makes this throw. */
export type Deliver = (message: OutboxMessage) => Promise<'delivered' | { refused: string }>;

const messagesAtATime = 100;

/** Adds messages in the transaction of what they tell: both are there, or neither. */
export const addToOutbox = async (
  transaction: Transaction<StoreSchema>,
  {
    target,
    atMs,
    messages,
  }: {
    target: string;
    atMs: number;
    messages: readonly Pick<OutboxMessage, 'topic' | 'payload'>[];
  },
): Promise<void> => {
  if (messages.length === 0) return;
  // Numbers are given in the order in which transactions end: nobody overtakes a message.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`holdfast outbox ${target}`}, 0))`.execute(
    transaction,
  );
  const database = transaction.withSchema(schemaName);
  await database
    .insertInto('outbox_target')
    .values({ target })
    .onConflict((conflict) => conflict.column('target').doNothing())
    .execute();
  await sql`
    insert into ${sql.table(`${schemaName}.outbox_message`)} (target, number, topic, payload, added_at)
    select ${target}, before.last + added.place, added.topic, added.payload::jsonb, ${new Date(atMs)}
    from unnest(
        ${messages.map(({ topic }) => topic)}::text[],
        ${messages.map(({ payload }) => JSON.stringify(payload))}::text[]
      ) with ordinality as added (topic, payload, place),
      (select coalesce(max(number), 0) as last
        from ${sql.table(`${schemaName}.outbox_message`)} where target = ${target}) as before
  `.execute(transaction);
};

export interface DeliveryRound {
  /** Undefined: nothing waits, or it is not time yet. */
  target: string | undefined;
  delivered: number;
  refused: number;
  failure: string | undefined;
}

/**
 * Delivers what waits for one of the targets, in order. Another process meanwhile takes another
 * target. Who dies after a delivery and before it is noted delivers again.
 */
export const deliverWaiting = async (
  store: Store,
  { deliver, ...wanted }: Claim & { deliver: Deliver },
): Promise<DeliveryRound> =>
  store.use(async (database) =>
    database.transaction().execute(async (transaction) => {
      const { nowMs } = wanted;
      const target = await claim(transaction, wanted);
      if (target === undefined) return { target, delivered: 0, refused: 0, failure: undefined };
      const messages = await waitingFor(transaction, target.name);
      const round = await deliverInOrder(messages, deliver);
      await note(transaction, { ...round, target, nowMs });
      const { delivered, refused, failure } = round;
      return {
        target: target.name,
        delivered: delivered.length,
        refused: refused.length,
        failure,
      };
    }),
  );

interface Claim {
  targets: readonly string[];
  nowMs: number;
  /** Asks also a target that was to be left alone for a while. */
  atOnce?: boolean;
}

interface ClaimedTarget {
  name: string;
  failures: number;
}

const claim = async (
  transaction: Transaction<StoreSchema>,
  { targets, nowMs, atOnce = false }: Claim,
): Promise<ClaimedTarget | undefined> => {
  const { rows } = await sql<ClaimedTarget>`
    select target as name, failures from ${sql.table(`${schemaName}.outbox_target`)} as candidate
    where target = any(${targets}::text[]) and (${atOnce} or next_attempt_at <= ${new Date(nowMs)})
      and exists (
        select from ${sql.table(`${schemaName}.outbox_message`)} as message
        where message.target = candidate.target and delivered_at is null and dead_at is null
      )
    order by next_attempt_at
    limit 1
    for update skip locked
  `.execute(transaction);
  return rows[0];
};

const waitingFor = async (
  transaction: Transaction<StoreSchema>,
  target: string,
): Promise<OutboxMessage[]> => {
  const rows = await transaction
    .withSchema(schemaName)
    .selectFrom('outbox_message')
    .select(['target', 'number', 'topic', 'payload'])
    .where('target', '=', target)
    .where('delivered_at', 'is', null)
    .where('dead_at', 'is', null)
    .orderBy('number')
    .limit(messagesAtATime)
    .execute();
  return rows.map((row) => ({ ...row, number: Number(row.number) }));
};

interface Round {
  delivered: number[];
  refused: { number: number; reason: string }[];
  failure: string | undefined;
}

/** Ends at the first that fails: what comes behind it waits. */
const deliverInOrder = async (
  messages: readonly OutboxMessage[],
  deliver: Deliver,
): Promise<Round> => {
  const round: Round = { delivered: [], refused: [], failure: undefined };
  for (const message of messages) {
    try {
      const answer = await deliver(message);
      if (answer === 'delivered') round.delivered.push(message.number);
      else round.refused.push({ number: message.number, reason: answer.refused });
    } catch (error) {
      round.failure = error instanceof Error ? error.message : String(error);
      break;
    }
  }
  return round;
};

const note = async (
  transaction: Transaction<StoreSchema>,
  { target, nowMs, delivered, refused, failure }: Round & { target: ClaimedTarget; nowMs: number },
): Promise<void> => {
  const database = transaction.withSchema(schemaName);
  const now = new Date(nowMs);
  await noteDelivered(transaction, { target: target.name, now, delivered });
  for (const { number, reason } of refused) {
    await database
      .updateTable('outbox_message')
      .set({ dead_at: now, dead_because: reason })
      .where('target', '=', target.name)
      .where(sql<boolean>`number = ${number}`)
      .execute();
  }
  const answered = delivered.length + refused.length > 0;
  const failures = failure === undefined ? 0 : (answered ? 0 : target.failures) + 1;
  await database
    .updateTable('outbox_target')
    .set({
      failures,
      last_error: failure ?? null,
      failing_since:
        failure === undefined ? null : sql<Date>`coalesce(failing_since, ${now}::timestamptz)`,
      next_attempt_at: failure === undefined ? now : new Date(nowMs + backoffMs(failures)),
      ...(delivered.length > 0 ? { last_delivered_at: now } : {}),
    })
    .where('target', '=', target.name)
    .execute();
};

/** Only the last one stays: from there on the numbers, and what a target was told, go on. */
const noteDelivered = async (
  transaction: Transaction<StoreSchema>,
  { target, now, delivered }: { target: string; now: Date; delivered: readonly number[] },
): Promise<void> => {
  const last = delivered.at(-1);
  if (last === undefined) return;
  const table = sql.table(`${schemaName}.outbox_message`);
  await sql`
    update ${table} set delivered_at = ${now}
    where target = ${target} and number = any(${delivered}::bigint[])
  `.execute(transaction);
  await sql`
    delete from ${table}
    where target = ${target} and delivered_at is not null and number < ${last}
  `.execute(transaction);
};
