import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readManifests } from '../../../client/cli/files/index.ts';
import { OpsError } from '../../../client/ops-error.ts';
import { encodeManifests } from '../../../client/manifest-set.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-manifests-'));
});

afterEach(async () => rm(directory, { recursive: true }));

const write = async (name: string, text: string): Promise<void> => {
  const file = path.join(directory, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
};

const service = 'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\n';
const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\n';

const refusal = async (paths: string[]): Promise<OpsError> => {
  try {
    await readManifests({ paths, directory });
  } catch (error) {
    if (error instanceof OpsError) return error;
    throw error;
  }
  throw new Error('the manifests were taken');
};

describe('reading manifests', () => {
  test('takes every document of every file below a directory, in order, without hidden files', async () => {
    await write('k8s/b.yaml', service);
    await write('k8s/a/one.yml', `${config}---\n\n---\n# nothing here\n`);
    await write('k8s/c.json', '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"shop"}}');
    await write('k8s/.hidden.yaml', 'not: a manifest');
    await write('k8s/notes.txt', 'not a manifest');
    const objects = await readManifests({ paths: ['k8s/'], directory });
    expect(objects.map(({ kind }) => kind)).toEqual(['ConfigMap', 'Service', 'Secret']);
  });

  test('takes a list apart, and reads standard input', async () => {
    const list = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } }],
    });
    const objects = await readManifests({ paths: ['-'], directory, readStdin: async () => list });
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['a']);
  });

  test('reads scalars as kubectl does: octal modes, no dates, no base 60', async () => {
    await write(
      'pod.yaml',
      `${config}data: {mode: 0644, date: 2026-01-01, port: 22:22, flag: yes}\n`,
    );
    const [object] = await readManifests({ paths: ['pod.yaml'], directory });
    expect(object?.['data']).toEqual({
      mode: 0o644,
      date: '2026-01-01',
      port: '22:22',
      flag: true,
    });
  });

  test.each([
    { what: 'broken YAML', text: 'a: [1\n', place: 'bad.yaml:2:1' },
    { what: 'a key that is there twice', text: `${config}kind: Secret\n`, place: 'bad.yaml:4:1' },
    {
      what: 'no kind',
      text: 'apiVersion: v1\nmetadata: {name: a}\n',
      place: 'bad.yaml:1:1 kind must be text',
    },
    {
      what: 'no name',
      text: 'apiVersion: v1\nkind: Secret\nmetadata:\n  labels: {}\n',
      place: 'bad.yaml:3:1 metadata.name is missing',
    },
    { what: 'text', text: 'just text\n', place: 'bad.yaml:1:1 a manifest must be an object' },
    {
      what: 'an alias to nothing',
      text: `${config}data: *gone\n`,
      place: 'bad.yaml:1:1 Unresolved alias',
    },
  ])('$what is refused with its place', async ({ text, place }) => {
    await write('bad.yaml', text);
    const error = await refusal(['bad.yaml']);
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.message).toContain(place);
    expect(error.message).toContain('Nothing was changed.');
  });

  test('the same object twice is refused with both places', async () => {
    await write('a.yaml', service);
    await write('b.yaml', `---\n${service}`);
    const error = await refusal(['a.yaml', 'b.yaml']);
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.message).toMatch(/b\.yaml:3:1 Service\/shop is there already, at .*a\.yaml:2:1/);
  });

  test('a path that leads out of the directory is refused, also behind a link', async () => {
    await write('inside/a.yaml', service);
    await symlink('/etc', path.join(directory, 'inside', 'link'));
    for (const outside of ['../', '/etc/hostname', 'inside/link']) {
      const error = await refusal([outside]);
      expect(error.code).toBe('INVALID_INPUT');
      expect(error.message).toContain('leads out of');
    }
  });

  test('a missing or empty path and an unrendered template are refused with what to do', async () => {
    await mkdir(path.join(directory, 'empty'));
    await write('overlay/kustomization.yaml', 'resources: []\n');
    expect((await refusal(['gone.yaml'])).message).toContain('no such file or directory');
    expect((await refusal(['empty'])).message).toContain('no .yaml, .yml or .json file');
    expect((await refusal(['overlay'])).message).toContain('kubectl kustomize');
  });
});

describe('the stored manifest set', () => {
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data: { b: 'x' } };

  test('equal content has equal bytes and name, whatever the order of the keys', () => {
    const turned = { data: { b: 'x' }, metadata: { name: 'a' }, kind: 'Secret', apiVersion: 'v1' };
    expect(encodeManifests([object])).toEqual(encodeManifests([turned]));
  });

  test('other content has another name, which is a release name', () => {
    const other = { ...object, data: { b: 'y' } };
    const names = [object, other].map((one) => encodeManifests([one]).contentName);
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(/^c-[0-9a-f]{10}$/);
  });
});
