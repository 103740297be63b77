import { sql } from 'kysely';
import type { Store } from './open-store.ts';
import { schemaName } from './schema.ts';

/** How it stands with what one target is to be told. */
export interface OutboxStatus {
  target: string;
  waiting: number;
  /** Refused by the target for good; kept until someone has them tried again. */
  dead: number;
  /** In a row; 0 while the target answers. */
  failures: number;
  lastError: string | null;
  failingSinceMs: number | null;
  nextAttemptAtMs: number | null;
  lastDeliveredAtMs: number | null;
}

export const outboxStatus = async (store: Store): Promise<OutboxStatus[]> =>
  store.use(async (database) => {
    const { rows } = await sql<OutboxStatus>`
      select target.target, failures, last_error as "lastError",
        count(message.number) filter (where delivered_at is null and dead_at is null)::integer
          as waiting,
        count(message.number) filter (where dead_at is not null)::integer as dead,
        ${sql.raw(millis('failing_since'))} as "failingSinceMs",
        case when failures > 0 then ${sql.raw(millis('next_attempt_at'))} end as "nextAttemptAtMs",
        ${sql.raw(millis('last_delivered_at'))} as "lastDeliveredAtMs"
      from ${sql.table(`${schemaName}.outbox_target`)} as target
        left join ${sql.table(`${schemaName}.outbox_message`)} as message
          on message.target = target.target and delivered_at is null
      group by target.target
      order by target.target
    `.execute(database);
    return rows;
  });

const millis = (column: string): string =>
  `(extract(epoch from ${column}) * 1000)::double precision`;

/** Has what a target refused tried again; returns how many messages that are. */
export const reviveDead = async (store: Store, target: string): Promise<number> =>
  store.use(async (database) => {
    const { numUpdatedRows } = await database
      .withSchema(schemaName)
      .updateTable('outbox_message')
      .set({ dead_at: null, dead_because: null })
      .where('target', '=', target)
      .where('dead_at', 'is not', null)
      .executeTakeFirst();
    return Number(numUpdatedRows);
  });
