import type { Migration } from './migration.ts';

export const accessKeys: Migration = {
  number: 4,
  name: 'access keys',
  statements: [
    `create table holdfast.access_key (
  id text primary key,
  holder text not null,
  public_key text not null,
  environments text[] not null,
  actions text[] not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
)`,
    `create index access_key_holder on holdfast.access_key (holder)`,
  ],
};
