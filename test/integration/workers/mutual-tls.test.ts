import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { certificateFiles, issueCertificates } from '../../../sandbox/kubernetes/certificates.ts';
import type { CertificateFiles } from '../../../sandbox/kubernetes/certificates.ts';
import { locateTool } from '../../../sandbox/tools/locate.ts';
import { connectToTemporal } from '../../setup/temporal-environment.ts';
import { startTlsTerminator, type TlsTerminator } from '../../setup/tls-terminator.ts';
import { startUserCommand } from './user-command.ts';
import { startWorkerChild } from './worker-child.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-tls-'));
const minute = 60_000;

/** An authority with a certificate for a server and one for a client. */
interface Authority {
  authority: CertificateFiles;
  server: CertificateFiles;
  client: CertificateFiles;
}

let temporal: TestWorkflowEnvironment;
let ours: Authority;
let others: Authority;
let terminator: TlsTerminator;

const authorityNamed = async (name: string): Promise<Authority> => {
  const directory = path.join(folder, name);
  const { path: kubernetesBinary } = await locateTool('kubernetes', {
    onProgress: () => undefined,
  });
  await issueCertificates({
    ...{ kubernetesBinary, directory, authority: 'ca' },
    certificates: [
      { name: 'server', commonName: 'temporal', ipAddresses: ['127.0.0.1'], usages: ['server'] },
      { name: 'client', commonName: `holdfast of ${name}`, usages: ['client'] },
    ],
  });
  return {
    authority: certificateFiles(directory, 'ca'),
    server: certificateFiles(directory, 'server'),
    client: certificateFiles(directory, 'client'),
  };
};

beforeAll(async () => {
  temporal = await connectToTemporal();
  ours = await authorityNamed('ours');
  others = await authorityNamed('others');
  const [host = '', port = ''] = temporal.address.split(':');
  terminator = await startTlsTerminator({
    server: { host, port: Number(port) },
    certificate: ours.server,
    authority: ours.authority,
  });
}, 30 * minute);
afterAll(async () => {
  terminator.close();
  await temporal.teardown();
  rmSync(folder, { recursive: true });
});

/** What an operator sets; the names are those of Temporal's own tools. */
const settings = ({ client, trusts }: { client?: CertificateFiles; trusts: CertificateFiles }) => ({
  TEMPORAL_ADDRESS: terminator.address,
  TEMPORAL_TLS: 'true',
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: trusts.certificatePath,
  ...(client === undefined
    ? {}
    : {
        TEMPORAL_TLS_CLIENT_CERT_PATH: client.certificatePath,
        TEMPORAL_TLS_CLIENT_KEY_PATH: client.keyPath,
      }),
});

const pools = { HOLDFAST_POOLS: 'notify', HOLDFAST_QUEUE_PREFIX: 'mutual-tls-test' };

describe('a Temporal server that asks for certificates', () => {
  test('lets in a worker and a command that show theirs', async () => {
    const environment = settings({ client: ours.client, trusts: ours.authority });
    const worker = startWorkerChild({ ...environment, ...pools, HOLDFAST_TIMEOUTS: 'test' });
    const { status } = await fetch(`${await worker.health()}/readyz`);
    const listed = await startUserCommand(['get', 'deploy', '-e', 'mutual-tls'], environment);
    worker.signal('SIGTERM');
    expect(await worker.ended()).toMatchObject({ code: 0 });
    expect(status).toBe(200);
    expect(listed).toMatchObject({ code: 0, stdout: 'no releases yet\n' });
    expect([...terminator.clients]).toEqual(['holdfast of ours']);
  });

  const refused = [
    { what: 'without one', settingsOf: () => settings({ trusts: ours.authority }) },
    {
      what: 'with one of another authority',
      settingsOf: () => settings({ client: others.client, trusts: ours.authority }),
    },
    {
      what: 'that trusts another authority than that of the server',
      settingsOf: () => settings({ client: ours.client, trusts: others.authority }),
    },
  ];

  test.each(refused)('refuses a worker $what, which says so and ends', async ({ settingsOf }) => {
    const worker = startWorkerChild({ ...settingsOf(), ...pools });
    const { code, stderr } = await worker.ended();
    expect(code).not.toBe(0);
    expect(stderr).toContain(`The worker was not started: Temporal at ${terminator.address}`);
  });

  test.each(refused)('refuses a command $what, which says so and ends', async ({ settingsOf }) => {
    const { code, stderr } = await startUserCommand(['get', 'deploy', '-e', 'prod'], settingsOf());
    expect(code).not.toBe(0);
    expect(stderr).toContain(terminator.address);
    expect([...terminator.clients]).toEqual(['holdfast of ours']);
  });
});
