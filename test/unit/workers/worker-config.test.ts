import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { printableConfig, readConfig } from '../../../workers/config.ts';
import { StartError } from '../../../workers/start-error.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};

const environmentsFile = (): string =>
  write(
    'environments.yaml',
    'environments: {staging: {context: kind, namespace: shop, traffic: none}}',
  );

/** Without it the user's own profile would take part. */
const base = (): Record<string, string> => ({
  TEMPORAL_CONFIG_FILE: write('temporal.toml', '[profile.default]'),
});

const complete = (): Record<string, string> => ({
  ...base(),
  HOLDFAST_ENVIRONMENTS: environmentsFile(),
  HOLDFAST_BLOBS: folder,
});

const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof StartError && error.code === 'CONFIGURATION_INVALID')
      return error.problems;
    throw error;
  }
  return [];
};

describe('the settings of a worker', () => {
  const bucket = {
    HOLDFAST_BLOBS: 's3://evidence/team?endpoint=https://s3.example',
    HOLDFAST_BLOB_KEY_FILE: '/keys/blobs',
    AWS_ACCESS_KEY_ID: 'planted-id',
    AWS_SECRET_ACCESS_KEY: 'planted-secret',
    DATABASE_URL: 'postgres://worker@127.0.0.1/holdfast',
  };

  test('may name a bucket for the blobs, whose credentials are not printed', () => {
    const config = readConfig({ ...complete(), ...bucket });
    expect(config.blobs?.location).toMatchObject({ kind: 's3', bucket: 'evidence' });
    expect(config.blobsDirectory).toBeUndefined();
    expect(printableConfig(config)).not.toContain('planted');
  });

  test('may name who keeps the keys of blobs, and then a bucket needs no key file', () => {
    const keys = {
      HOLDFAST_BLOB_KEYS: 'vault://blobs?endpoint=https://vault.example',
      VAULT_TOKEN: 'planted-token',
    };
    const config = readConfig({ ...complete(), ...bucket, HOLDFAST_BLOB_KEY_FILE: '', ...keys });
    expect(config.blobKeys).toMatchObject({ kind: 'transit', transit: { key: 'blobs' } });
    expect(printableConfig(config)).not.toContain('planted');
    expect(problemsOf({ ...complete(), ...keys, VAULT_TOKEN: '' })).toEqual([
      expect.stringContaining('VAULT_TOKEN'),
    ]);
  });

  test('name what a bucket lacks', () => {
    expect(problemsOf({ ...complete(), ...bucket, AWS_SECRET_ACCESS_KEY: '' })).toEqual([
      expect.stringContaining('AWS_SECRET_ACCESS_KEY is missing'),
    ]);
    expect(problemsOf({ ...complete(), ...bucket, DATABASE_URL: '' })).toEqual([
      expect.stringContaining('DATABASE_URL: must be set where HOLDFAST_BLOBS is a bucket'),
    ]);
    const open = { ...bucket, HOLDFAST_BLOBS: 's3://evidence?endpoint=http://s3.example' };
    expect(problemsOf({ ...complete(), ...open })).toEqual([
      expect.stringContaining('another machine'),
    ]);
  });

  test('know where people see runs, if that is an address', () => {
    const ui = (url: string) => ({ ...complete(), HOLDFAST_TEMPORAL_UI_URL: url });
    expect(readConfig(ui('https://temporal.example')).temporalUiUrl).toBe(
      'https://temporal.example',
    );
    expect(readConfig(ui('')).temporalUiUrl).toBeUndefined();
    expect(problemsOf(ui('temporal.example'))).toEqual([
      'HOLDFAST_TEMPORAL_UI_URL: must be an address of http or https',
    ]);
  });

  test('of the audit log say where heads go, and with which key they are signed', () => {
    const { audit } = readConfig(complete());
    expect(audit).toEqual({
      keyFile: path.join(folder, 'audit', 'key'),
      targets: [],
      headEveryMs: 60_000,
    });
    const places = `${folder}, https://siem.example/events`;
    const named = { HOLDFAST_AUDIT_EXPORT: places, HOLDFAST_AUDIT_KEY: '/keys/audit' };
    expect(readConfig({ ...complete(), ...named }).audit).toMatchObject({
      keyFile: '/keys/audit',
      targets: [
        { name: `file://${folder}`, wantsRecords: false },
        { name: 'https://siem.example/events', wantsRecords: true },
      ],
    });
    const wrong = {
      HOLDFAST_AUDIT_EXPORT: 'http://siem.example',
      HOLDFAST_AUDIT_HEAD_EVERY_MS: '1',
    };
    expect(problemsOf({ ...complete(), ...wrong })).toEqual([
      'HOLDFAST_AUDIT_HEAD_EVERY_MS: must be 100 or more milliseconds',
      expect.stringContaining('HOLDFAST_AUDIT_EXPORT must be directories and https addresses'),
    ]);
  });

  test('of the codec endpoint come together: its port, the key ring and the origin of the UI', () => {
    expect(readConfig(complete()).codec).toBeUndefined();
    expect(problemsOf({ ...complete(), HOLDFAST_CODEC_PORT: '8234' })).toEqual([
      'HOLDFAST_KEY_RING: must be the path of the key ring that HOLDFAST_CODEC_PORT opens',
      'HOLDFAST_CODEC_ORIGIN: must be the origin of the Temporal UI',
    ]);
    const env = {
      ...complete(),
      HOLDFAST_CODEC_PORT: '8234',
      HOLDFAST_KEY_RING: '/keys/ring.json',
    };
    expect(problemsOf({ ...env, HOLDFAST_CODEC_ORIGIN: 'http://127.0.0.1:8233/' })).toContainEqual(
      expect.stringContaining('HOLDFAST_CODEC_ORIGIN: must be scheme, host and port'),
    );
    const { keyRingFile, codec } = readConfig({
      ...env,
      HOLDFAST_CODEC_ORIGIN: 'http://127.0.0.1:8233',
    });
    expect(keyRingFile).toBe('/keys/ring.json');
    expect(codec).toEqual({
      host: '127.0.0.1',
      port: 8234,
      origin: 'http://127.0.0.1:8233',
      tokensFile: '/keys/codec-tokens.json',
    });
  });

  test('have defaults for all but where the clusters and the blobs are', () => {
    expect(problemsOf(base())).toEqual([
      'HOLDFAST_ENVIRONMENTS: must be the path of environments.yaml',
      'HOLDFAST_BLOBS: must be the directory or the bucket of the blob store',
    ]);
    expect(readConfig(complete())).toMatchObject({
      pools: ['orchestration', 'kubernetes', 'traffic', 'notify'],
      queuePrefix: 'holdfast',
      timeoutProfile: 'standard',
      environments: { environments: { staging: { namespace: 'shop', traffic: 'none' } } },
      environmentsDirectory: folder,
      health: { host: '127.0.0.1', port: 0 },
    });
  });

  test('that are empty count as unset', () => {
    const config = readConfig({ ...complete(), HOLDFAST_POOLS: '', HOLDFAST_TIMEOUTS: '' });
    expect(config).toMatchObject({ timeoutProfile: 'standard', blobsDirectory: folder });
    expect(config.pools).toHaveLength(4);
  });

  test('ask only for what the pools of this process need', () => {
    expect(problemsOf({ ...base(), HOLDFAST_POOLS: 'orchestration,notify' })).toEqual([]);
    expect(problemsOf({ ...base(), HOLDFAST_POOLS: 'traffic' })).toEqual([
      'HOLDFAST_ENVIRONMENTS: must be the path of environments.yaml',
    ]);
  });

  test('may name a database, which is checked and never printed', () => {
    const env = (url: string) => ({ ...complete(), DATABASE_URL: url });
    expect(readConfig(env('')).databaseUrl).toBeUndefined();
    const local = 'postgres://ana:planted@127.0.0.1/holdfast';
    const config = readConfig(env(local));
    expect(config.databaseUrl).toBe(local);
    expect(printableConfig(config)).not.toContain('planted');
    const [problem, ...others] = problemsOf(
      env('postgres://ana:planted@db.example.com/holdfast?sslmode=disable'),
    );
    expect(problem).toContain('DATABASE_URL has sslmode=disable for db.example.com');
    expect(problem).not.toContain('planted');
    expect(others).toEqual([]);
  });

  test('take Temporal from the usual variables', () => {
    const env = { ...complete(), TEMPORAL_ADDRESS: '10.0.0.1:7233', TEMPORAL_NAMESPACE: 'ops' };
    const { temporal } = readConfig(env);
    expect(temporal).toMatchObject({
      connectionOptions: { address: '10.0.0.1:7233' },
      namespace: 'ops',
    });
  });

  test('that are wrong are all reported at once', () => {
    const environments = write(
      'wrong.yaml',
      'environments: {staging: {context: kind, traffic: sometimes, colour: red}}',
    );
    const problems = problemsOf({
      TEMPORAL_CONFIG_FILE: write('wrong.toml', 'not toml at all ['),
      HOLDFAST_POOLS: 'kubernetes,gpu',
      HOLDFAST_QUEUE_PREFIX: 'Not A Prefix',
      HOLDFAST_TIMEOUTS: 'forever',
      HOLDFAST_HEALTH_PORT: '70000',
      HOLDFAST_LOG_LEVEL: 'loud',
      HOLDFAST_ENVIRONMENTS: environments,
    });
    const starts = [
      'HOLDFAST_POOLS: there is no pool gpu',
      'HOLDFAST_QUEUE_PREFIX: ',
      'HOLDFAST_TIMEOUTS: ',
      'HOLDFAST_HEALTH_PORT: must be a port',
      'HOLDFAST_LOG_LEVEL: ',
      'Temporal connection: ',
      `HOLDFAST_ENVIRONMENTS: ${environments}: environments.staging.namespace: `,
      `HOLDFAST_ENVIRONMENTS: ${environments}: environments.staging.traffic`,
      `HOLDFAST_ENVIRONMENTS: ${environments}: environments.staging.colour: there is no such field`,
    ];
    for (const start of starts) expect(problems).toContainEqual(expect.stringContaining(start));
    expect(problems).toHaveLength(starts.length);
  });

  test.each([
    ['is missing', path.join(tmpdir(), 'no', 'such', 'file'), 'ENOENT'],
    ['is no YAML', 'broken.yaml', 'broken.yaml: '],
  ])('name an environments.yaml that %s', (_case, name, reason) => {
    const file = path.isAbsolute(name) ? name : write(name, 'environments: {a: [}');
    expect(problemsOf({ ...complete(), HOLDFAST_ENVIRONMENTS: file }).join('\n')).toContain(reason);
  });

  test('name a workflow bundle that is not there', () => {
    const env = { ...complete(), HOLDFAST_WORKFLOW_BUNDLE: '/no/bundle.js' };
    expect(problemsOf(env)).toEqual(['HOLDFAST_WORKFLOW_BUNDLE: there is no file /no/bundle.js']);
  });

  test('are printed without credentials', () => {
    const env = {
      ...complete(),
      TEMPORAL_API_KEY: 'hush-key',
      TEMPORAL_TLS_CLIENT_CERT_DATA: 'hush-certificate',
      TEMPORAL_TLS_CLIENT_KEY_DATA: 'hush-private',
      TEMPORAL_GRPC_META_AUTHORIZATION: 'hush-meta',
    };
    const printed = printableConfig(readConfig(env));
    expect(printed).not.toContain('hush');
    expect(printed).not.toContain(Buffer.from('hush-private').toString('base64'));
    expect(JSON.parse(printed)).toMatchObject({
      queuePrefix: 'holdfast',
      temporal: { connectionOptions: { apiKey: '(secret)' } },
    });
  });
});
