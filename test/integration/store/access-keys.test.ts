import { afterAll, beforeAll } from '@jest/globals';
import {
  createPostgresAccessKeys,
  migrate,
  openStore,
  type Store,
} from '../../../activities/store/postgres/index.ts';
import { describeAccessKeys } from '../../conformance/access-keys.ts';
import { startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';

let server: PostgresServer;
const stores: Store[] = [];

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(async () => {
  for (const store of stores) await store.close();
  await server.remove();
});

describeAccessKeys('PostgreSQL', async () => {
  const store = openStore(await server.createDatabase());
  stores.push(store);
  await migrate(store);
  return createPostgresAccessKeys({ store });
});
