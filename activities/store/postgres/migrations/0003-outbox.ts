import type { Migration } from './migration.ts';

export const outbox: Migration = {
  number: 3,
  name: 'outbox and inbox',
  statements: [
    `create table holdfast.outbox_target (
  target text primary key,
  failures integer not null default 0,
  last_error text,
  failing_since timestamptz,
  next_attempt_at timestamptz not null default '-infinity',
  last_delivered_at timestamptz
)`,
    `create table holdfast.outbox_message (
  target text not null references holdfast.outbox_target,
  number bigint not null,
  topic text not null,
  payload jsonb not null,
  added_at timestamptz not null,
  delivered_at timestamptz,
  dead_at timestamptz,
  dead_because text,
  primary key (target, number)
)`,
    `create index outbox_message_waiting on holdfast.outbox_message (target, number)
  where delivered_at is null and dead_at is null`,
    `create table holdfast.inbox_message (
  consumer text not null,
  message_id text not null,
  received_at timestamptz not null,
  primary key (consumer, message_id)
)`,
  ],
};
