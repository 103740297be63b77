import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from '@jest/globals';
import { runSql, startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';
import { filledLog } from '../audit/filled-log.ts';
import { openTerminal, type Ended } from './user-terminal.ts';

let server: PostgresServer;
let directory: string;
let databaseUrl: string;

beforeAll(async () => {
  server = await startPostgresServer();
});

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-audit-verbs-'));
  databaseUrl = await server.createDatabase();
});

afterEach(async () => rm(directory, { recursive: true }));

afterAll(async () => server.remove());

const holdfast = async (args: readonly string[], url = databaseUrl): Promise<Ended> =>
  openTerminal(
    {
      directory,
      // Nothing here asks Temporal.
      temporalAddress: '127.0.0.1:1',
      temporalNamespace: 'default',
      blobsDirectory: path.join(directory, 'blobs'),
      workflowBundlePath: '',
      databaseUrl: url,
    },
    'audit-verbs',
    { HOLDFAST_KEY_RING: path.join(directory, 'keys.json') },
  ).holdfast(args);

const audit = async (args: readonly string[], url?: string): Promise<Ended> =>
  holdfast(['audit', ...args], url);

describe('holdfast audit', () => {
  test('signs, exports and verifies offline, and names the first bad record of a file', async () => {
    await using filled = await filledLog(databaseUrl, 12);
    const heads = path.join(directory, 'heads');
    const missing = await audit(['head', '--to', heads]);
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain('not exported yet');
    await mkdir(heads);
    const head = await audit(['head', '--to', heads]);
    expect(head).toMatchObject({ exitCode: 0 });
    expect(head.stdout).toMatch(
      /^holdfast\/operations\n12\n\S{44}\n\n\u2014 holdfast\/operations /,
    );

    const exported = await audit(['export']);
    const lines = exported.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(12);
    const file = path.join(directory, 'monday.jsonl');
    await writeFile(file, exported.stdout);
    const offline = ['verify', '--file', file, '--head', heads];
    expect(await audit(offline, '')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('12 of them are vouched for') as unknown,
    });
    const alone = await audit(['verify', '--file', file], '');
    expect(alone).toMatchObject({ exitCode: 0 });
    expect(alone.stderr).toContain('--head');

    const damaged = async (change: (lines: string[]) => string[]): Promise<Ended> => {
      await writeFile(file, `${change(lines).join('\n')}\n`);
      return audit([...offline, '--json'], '');
    };
    for (const [change, finding] of [
      [
        (all: string[]) => all.with(4, (all[4] ?? '').replace('"approve"', '"reject"')),
        { damage: 'changed', position: 4 },
      ],
      [(all: string[]) => all.toSpliced(4, 1), { damage: 'deleted', position: 4 }],
      [
        (all: string[]) => all.with(4, all[9] ?? '').with(9, all[4] ?? ''),
        { damage: 'swapped', position: 4 },
      ],
      [(all: string[]) => all.slice(0, 10), { damage: 'truncated', position: 10 }],
      [
        (all: string[]) => all.with(4, (all[4] ?? '').replace('ana-1@', 'bob@')),
        { damage: 'changed', position: 1 },
      ],
    ] as const) {
      const ended = await damaged(change);
      expect(ended.exitCode).toBe(1);
      expect(JSON.parse(ended.stdout)).toMatchObject({ ok: false, finding });
    }
    expect(await audit(['verify', '--file', file, '--head', directory], '')).toMatchObject({
      exitCode: 2,
    });
    expect(await filled.log.size()).toBe(12);
  });

  test('verifies the database, says what is exported and open, and gives CloudEvents', async () => {
    await using filled = await filledLog(databaseUrl, 3);
    const events = (await audit(['export', '--format', 'cloudevents'])).stdout
      .trimEnd()
      .split('\n');
    expect(events.map((line): unknown => JSON.parse(line))).toMatchObject(
      [0, 1, 2].map((position) => ({
        specversion: '1.0',
        id: `holdfast/operations/${String(position)}`,
        type: 'holdfast.audit.outcome',
      })),
    );
    expect(await audit(['verify'])).toMatchObject({ exitCode: 0 });
    await runSql(
      filled.url,
      `alter table holdfast.audit_record disable trigger all;
       update holdfast.audit_record set body = replace(body, 'approve', 'reject') where position = 1`,
    );
    const found = await audit(['verify']);
    expect(found.exitCode).toBe(1);
    expect(found.stdout).toMatch(/^record 1: changed: /);
    const status = await audit(['status', '--json']);
    expect(status.exitCode).toBe(0);
    expect(JSON.parse(status.stdout)).toEqual({
      size: 3,
      head: null,
      targets: [],
      openIntents: [],
    });
  });

  test('says that it is off where there is no database', async () => {
    for (const verb of ['verify', 'export', 'head', 'status']) {
      expect(await audit([verb], '')).toMatchObject({
        exitCode: 78,
        stderr: expect.stringContaining('The audit log is off') as unknown,
      });
    }
  });
});

describe('holdfast keys', () => {
  test('records what it changes before and after, and changes nothing that it cannot record', async () => {
    const refused = await holdfast(['keys', 'create']);
    expect(refused.exitCode).toBe(4);
    await expect(readFile(path.join(directory, 'keys.json'))).rejects.toThrow('ENOENT');
    await using filled = await filledLog(databaseUrl, 0);
    expect(await holdfast(['keys', 'create'])).toMatchObject({ exitCode: 0 });
    const issued = await holdfast(['keys', 'token', '--for', 'eve@example.com']);
    expect(issued.exitCode).toBe(0);
    expect(await holdfast(['keys', 'create'])).toMatchObject({ exitCode: 78 });
    const bodies: string[] = [];
    for await (const { body } of filled.log.read({ from: 0 })) bodies.push(body);
    expect(bodies.map((body): unknown => JSON.parse(body))).toMatchObject([
      { action: 'keys.create', phase: 'intent' },
      { action: 'keys.create', phase: 'outcome', result: 'done' },
      { action: 'keys.token', phase: 'intent' },
      { action: 'keys.token', phase: 'outcome', result: expect.stringMatching(/^made t-/) },
      { action: 'keys.create', phase: 'intent' },
      { action: 'keys.create', phase: 'outcome', result: 'failed' },
    ]);
    expect(await filled.log.people()).toMatchObject([{ name: 'ana@example.com' }]);
    expect(bodies.join()).not.toContain('eve@example.com');
    expect(bodies.join()).not.toContain(issued.stdout.trim());
    const unrecorded = await holdfast(['keys', 'rotate'], '');
    expect(unrecorded.exitCode).toBe(0);
    expect(unrecorded.stderr).toContain('The audit log is off');
  });
});
