import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openAccess, type ClusterAccess } from '../../../activities/kubernetes/cluster-access.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-access-'));
  await writeFile(path.join(directory, 'ca.crt'), 'the authority');
  await writeFile(path.join(directory, 'client.crt'), 'the certificate');
  await writeFile(path.join(directory, 'client.key'), 'the key');
  const plugin = path.join(directory, 'plugin');
  const status = { token: 'from the plugin', expirationTimestamp: '2999-01-01T00:00:00Z' };
  const answer = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status };
  await writeFile(plugin, `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`);
  await chmod(plugin, 0o700);
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const open = async (
  user: object,
  cluster: object = {},
  context = 'here',
): Promise<ClusterAccess> => {
  const file = path.join(directory, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://cluster.example:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
  };
  await writeFile(file, JSON.stringify(config));
  return openAccess({ environment: 'staging', file, context });
};

describe('the credentials of a context', () => {
  test('come from files beside the kubeconfig, and are read again when they rotate', async () => {
    const access = await open(
      { 'client-certificate': 'client.crt', 'client-key': 'client.key' },
      { 'certificate-authority': 'ca.crt', 'tls-server-name': 'other.example' },
    );
    expect(access).toMatchObject({ server: 'https://cluster.example:6443', proxyUrl: undefined });
    expect(await access.credentials()).toEqual({
      ca: Buffer.from('the authority'),
      cert: Buffer.from('the certificate'),
      key: Buffer.from('the key'),
      servername: 'other.example',
    });
    await writeFile(path.join(directory, 'client.crt'), 'the next certificate');
    expect(await access.credentials()).toMatchObject({ cert: Buffer.from('the next certificate') });
  });

  test('stand in the kubeconfig itself, which comes before a file', async () => {
    const access = await open(
      {
        'client-certificate': 'gone.crt',
        'client-certificate-data': base64('inline certificate'),
        'client-key-data': base64('inline key'),
      },
      { 'insecure-skip-tls-verify': true, 'proxy-url': 'http://proxy.example:3128' },
    );
    expect(access.proxyUrl).toBe('http://proxy.example:3128');
    expect(await access.credentials()).toEqual({
      cert: Buffer.from('inline certificate'),
      key: Buffer.from('inline key'),
      rejectUnauthorized: false,
    });
  });

  test('are a token', async () => {
    const { headers } = await (await open({ token: 'opensesame' })).credentials();
    expect(headers).toEqual({ Authorization: 'Bearer opensesame' });
  });

  test('come from a plugin', async () => {
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: path.join(directory, 'plugin'),
      interactiveMode: 'Never',
    };
    const access = await open({ exec });
    expect(access.server).toBe('https://cluster.example:6443');
    const { headers } = await access.credentials();
    expect(headers).toMatchObject({ Authorization: 'Bearer from the plugin' });
  });
});

describe('a kubeconfig that leads nowhere', () => {
  test('without the context names those that it has', async () => {
    await expect(open({}, {}, 'elsewhere')).rejects.toMatchObject({
      type: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('which the kubeconfig does not have; it has here'),
    });
  });

  test('that is not there, or is none, is named with the reason', async () => {
    const file = path.join(directory, 'gone');
    await expect(
      openAccess({ environment: 'staging', file, context: 'here' }),
    ).rejects.toMatchObject({
      type: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('ENOENT'),
    });
  });

  test.each(['cluster.example:6443', 'ftp://cluster.example', 'cluster'])(
    'to %s, which is no address, is refused with its name',
    async (server) => {
      await expect(open({ token: 'opensesame' }, { server })).rejects.toMatchObject({
        type: 'CONFIGURATION_INVALID',
        message: `The kubeconfig names the server ${server}, which is no https address.`,
      });
    },
  );

  test.each([{ token: 'opensesame' }, { username: 'ana', password: 'opensesame' }])(
    'over plain HTTP to another machine is refused (%j)',
    async (user) => {
      const server = 'http://cluster.example:8080';
      await expect(open(user, { server })).rejects.toMatchObject({
        type: 'CONFIGURATION_INVALID',
        message: expect.stringContaining(server),
      });
      expect((await open(user, { server: 'http://127.0.0.1:8080' })).server).toBe(
        'http://127.0.0.1:8080',
      );
    },
  );
});
