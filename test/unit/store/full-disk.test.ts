import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { describeUnless } from '../../setup/describe-unless.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-full-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command that sees a file system of 512 kB at `folder`, which goes with it. */
const onSmallDisk = (command: readonly string[]) => {
  const mount = `mount -t tmpfs -o size=512k tmpfs '${folder}' && exec "$@"`;
  return spawnSync('unshare', ['--mount', '--', 'sh', '-c', mount, 'sh', ...command], {
    encoding: 'utf8',
    cwd: root,
  });
};

const cannotMount =
  onSmallDisk(['true']).status === 0
    ? undefined
    : 'a file system of its own needs root on Linux, and unshare';

/** Fills the disk, looks at what happened, makes room and goes on. */
const program = `
  import { spawnSync } from 'node:child_process';
  import { randomBytes } from 'node:crypto';
  import { readdirSync } from 'node:fs';
  import { createFilesystemBlobStore } from './activities/store/index.ts';
  import { createOpsClient } from './client/index.ts';
  import { Client, Connection } from '@temporalio/client';

  const directory = process.argv[1];
  const store = createFilesystemBlobStore({ directory });
  const codeOf = (error) => ({ code: error.type ?? error.code, retried: error.nonRetryable === false || error.retryable === true, message: error.message });
  const refusalOf = (work) => work.then(() => undefined, codeOf);
  const kept = [];
  let full;
  for (const bytes of Array.from({ length: 40 }, () => randomBytes(40_000))) {
    full = await refusalOf(store.put(bytes).then((digest) => kept.push({ digest, bytes })));
    if (full !== undefined) break;
  }
  const filesNow = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name);
  const readBack = async () => {
    for (const { digest, bytes } of kept) if (!bytes.equals(Buffer.from(await store.get(digest)))) return false;
    return true;
  };
  const intact = await readBack();
  const connection = Connection.lazy({ address: '127.0.0.1:1' });
  const ops = await createOpsClient({ client: new Client({ connection }), blobs: { directory } });
  const data = { filler: randomBytes(40_000).toString('hex') };
  const manifests = [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shop' }, data }];
  const release = await refusalOf(ops.delivery.deployService.start({ service: 'shop', environment: 'staging', manifests }));
  await connection.close();
  spawnSync('mount', ['-o', 'remount,size=4m', directory]);
  const late = randomBytes(40_000);
  const again = await store.put(late);
  kept.push({ digest: again, bytes: late });
  console.log(JSON.stringify({ stored: kept.length, full, drafts: filesNow.filter((name) => name.endsWith('.draft')), intact, release, intactAfter: await readBack() }));
`;

describeUnless(cannotMount, 'full disk on the blob store', () => {
  test('loses nothing, says so with a code, starts no release, and goes on when there is room', () => {
    const { stdout, stderr } = onSmallDisk([
      process.execPath,
      ...['--input-type=module', '-e', program, folder],
    ]);
    if (stdout === '') throw new Error(stderr);
    const outcome = JSON.parse(stdout) as Record<string, unknown>;
    const full = {
      code: 'BLOBS_FULL',
      retried: true,
      message: expect.stringContaining('no room left'),
    };
    expect(outcome).toMatchObject({
      ...{ full, release: full, drafts: [], intact: true, intactAfter: true },
    });
    expect(outcome['stored']).toBeGreaterThan(3);
  });
});
