import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { openStore } from '../../../activities/store/postgres/index.ts';
import { certificateFiles, issueCertificates } from '../../../sandbox/kubernetes/certificates.ts';
import { locateTool } from '../../../sandbox/tools/locate.ts';
import { runSql, startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';

let server: PostgresServer;
let directory: string;
let plain: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-tls-'));
  const { path: kubernetesBinary } = await locateTool('kubernetes', {
    onProgress: () => undefined,
  });
  const order = { kubernetesBinary, directory };
  const name = 'database';
  await issueCertificates({
    ...order,
    authority: 'ca',
    certificates: [{ name, commonName: name, dnsNames: ['localhost'], usages: ['server'] }],
  });
  await issueCertificates({ ...order, authority: 'other', certificates: [] });
  server = await startPostgresServer();
  plain = await server.createDatabase();
  const { certificatePath, keyPath } = certificateFiles(directory, name);
  for (const setting of [
    `ssl_cert_file = '${certificatePath}'`,
    `ssl_key_file = '${keyPath}'`,
    `ssl = on`,
  ]) {
    await runSql(plain, `alter system set ${setting}`);
  }
  await server.stop();
  await server.start();
}, 1_200_000);

afterAll(async () => {
  await server.remove();
  await rm(directory, { recursive: true });
});

/** Whether a connection by this URL is encrypted, or why there is none. */
const encrypted = async (change: (url: URL) => void): Promise<unknown> => {
  const url = new URL(plain);
  change(url);
  await using store = openStore(url.href);
  const asked = store.use(async (database) =>
    sql<{ ssl: boolean }>`
      select ssl from pg_stat_ssl where pid = pg_backend_pid()
    `.execute(database),
  );
  return await asked.then(
    ({ rows }) => rows[0]?.ssl,
    (error: unknown) => (error as { type?: unknown }).type ?? error,
  );
};

const verifying = (mode: string, authority: string, host: string) => (url: URL) => {
  url.hostname = host;
  url.search = `?sslmode=${mode}&sslrootcert=${path.join(directory, `${authority}.crt`)}`;
};

describe('a connection that is to be verified', () => {
  test.each(['require', 'verify-ca', 'verify-full'])(
    'with sslmode=%s trusts only the authority and the name that were given',
    async (mode) => {
      expect(await encrypted(verifying(mode, 'ca', 'localhost'))).toBe(true);
      expect(await encrypted(verifying(mode, 'other', 'localhost'))).toBe('STORE_NOT_PRIVATE');
      expect(await encrypted(verifying(mode, 'ca', '127.0.0.1'))).toBe('STORE_NOT_PRIVATE');
    },
  );

  test('trusts no authority that only the server knows', async () => {
    expect(await encrypted((url) => (url.search = '?sslmode=verify-full'))).toBe(
      'STORE_NOT_PRIVATE',
    );
  });

  test('says so where the file of the authority is not there', async () => {
    await expect(encrypted(verifying('require', 'absent', 'localhost'))).rejects.toMatchObject({
      type: 'CONFIGURATION_INVALID',
    });
  });
});

test('on this machine a connection may go unencrypted', async () => {
  expect(await encrypted(() => undefined)).toBe(false);
});
