import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  contentDigestOf,
  makeAccessKey,
  readAccessKey,
  signCommand,
} from '../../../activities/identity/index.ts';
import {
  createPostgresAccessKeys,
  migrate,
  openStore,
  type Store,
} from '../../../activities/store/postgres/index.ts';
import { writeCommand, writeProof } from '../../../domain/security/signed-command.ts';
import { openIdentity } from '../../../workers/access.ts';
import { readConfig } from '../../../workers/config.ts';
import { describeAccessKeys } from '../../conformance/access-keys.ts';
import { createAccessFolder } from '../../setup/access-folder.ts';
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

const openMigrated = async (url: string): Promise<Store> => {
  const store = openStore(url);
  stores.push(store);
  await migrate(store);
  return store;
};

describeAccessKeys('PostgreSQL', async () =>
  createPostgresAccessKeys({ store: await openMigrated(await server.createDatabase()) }),
);

describe('a worker with a database', () => {
  const about = { environment: 'staging', service: 'shop' };
  const where = { workflowId: 'deploy:staging:shop:1', action: 'deployService.start' };

  test('checks who asks against the keys there; without an answer it says neither yes nor no', async () => {
    const url = await server.createDatabase();
    const keys = createPostgresAccessKeys({ store: await openMigrated(url) });
    const folder = createAccessFolder();
    const holder = 'rita@example.com';
    const { text, id, publicKey } = makeAccessKey(holder);
    const atMs = Date.now();
    await keys.add({
      ...{ id, holder, publicKey, scope: { environments: [], actions: [] } },
      createdAt: new Date(atMs).toISOString(),
      expiresAt: new Date(atMs + 3_600_000).toISOString(),
    });
    const content = { service: 'shop', requestedBy: { actor: holder, reason: 'a test' } };
    const command = writeCommand({
      ...{ ...where, contentDigest: contentDigestOf(content), nonce: 'n-1' },
      ...{ issuedAtMs: atMs, expiresAtMs: atMs + 60_000 },
    });
    const signature = signCommand(readAccessKey(text), command);
    const proof = writeProof({ command, key: id, signature });
    const { identity, close } = await openIdentity(
      readConfig({
        HOLDFAST_POOLS: 'orchestration',
        HOLDFAST_ACCESS: folder.file,
        DATABASE_URL: url,
      }),
    );
    const ask = async () =>
      identity.verify({ ...where, actor: holder, content, about, proof, askedAtMs: atMs });
    try {
      expect(await ask()).toMatchObject({ actor: holder, verification: 'verified' });
      await server.stop();
      await expect(ask()).rejects.toMatchObject({ type: 'STORE_UNREACHABLE', nonRetryable: false });
      await server.start();
      expect(await ask()).toMatchObject({ verification: 'verified' });
      await keys.revoke(id, new Date().toISOString());
      await expect(ask()).rejects.toMatchObject({ type: 'IDENTITY_UNPROVEN' });
    } finally {
      await close();
      folder.remove();
    }
  });
});
