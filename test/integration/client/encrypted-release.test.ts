import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPayloadCodec } from '../../../activities/encryption/index.ts';
import { ensureNamespace, writeEnvironments } from '../../../client/cli/sandbox-cluster.ts';
import {
  createOpsClient,
  OpsError,
  type DeployServiceProgress,
  type OpsClient,
} from '../../../client/index.ts';
import { createReplayer } from '../../replay/history-replayer.ts';
import type { Stack } from '../../kill/release-rig.ts';
import { startReleaseStack } from '../../setup/release-stack.ts';
import { until } from '../../setup/until.ts';
import { startTarget, type HttpTarget } from '../traffic/http-target.ts';
import { codecOf, readSealedHistory } from './sealed-history.ts';
import { openTerminal, packageDirectory, type UserTerminal } from './user-terminal.ts';

const name = `encrypted-${Date.now().toString(36)}`;
const minute = 60_000;

/** Each where an operator could put one; none may be found where Temporal or a log keeps it. */
const planted = {
  reason: 'planted-reason-8d1f',
  manifest: 'planted-manifest-6c2a',
  body: 'planted-body-41be',
  answer: 'planted-answer-77e0',
};

/** What the SDK's core notes by itself: name and times of a local activity, and ids of patches. */
const coreNote =
  /^\{"(?:seq":\d+,"attempt":\d+,"activity_id":"\d+",|id":"[-a-z0-9]+","deprecated":)/;

let stack: Stack;
let terminal: UserTerminal;
let worker: ChildProcess;
let workerLog = '';
let codecAddress: string;
let target: HttpTarget;
let ring: string;
let ops: OpsClient;

const holdfast: UserTerminal['holdfast'] = (...typed) => terminal.holdfast(...typed);

const startWorker = async (): Promise<void> => {
  const file = path.join(stack.directory, 'environments.yaml');
  worker = terminal.start(['worker', '--environments', file]);
  worker.stderr?.on('data', (chunk: Buffer) => (workerLog += chunk.toString()));
  if (worker.stdout === null) throw new Error('no output');
  for await (const chunk of worker.stdout) {
    const [line = ''] = String(chunk).split('\n');
    codecAddress = (JSON.parse(line) as { codec: string }).codec;
    break;
  }
  worker.stdout.resume();
};

const stopWorker = async (): Promise<void> => {
  const ended = once(worker, 'exit');
  worker.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
};

const openOps = async (keyRingFile: string | undefined): Promise<OpsClient> =>
  createOpsClient({
    address: stack.temporalAddress,
    namespace: stack.temporalNamespace,
    stateDirectory: stack.directory,
    queuePrefix: name,
    ...(keyRingFile === undefined ? {} : { keyRingFile }),
  });

/** The sample service with something planted in its Secret and in the answer that is expected. */
const plantSecrets = async (version: string, settings: string): Promise<void> => {
  const directory = path.join(stack.directory, version);
  await cp(path.join(packageDirectory, 'docs/examples/shop', version), directory, {
    recursive: true,
  });
  const secret = path.join(directory, 'k8s/secret.yaml');
  const manifest = await readFile(secret, 'utf8');
  await writeFile(secret, manifest.replace('an-example-and-no-secret', planted.manifest));
  const definition = `service: shop\nenvironment: staging\nmanifests: [k8s/]\nstrategy: { type: rolling }\n${settings}`;
  await writeFile(path.join(directory, 'holdfast.yaml'), definition);
};

const smoke = (contains: string): string =>
  `smoke:\n  - http: { path: /config, expect: 200, contains: ${contains} }\n`;

const deploy = async (version: string): ReturnType<UserTerminal['holdfast']> =>
  holdfast(
    ['deploy', '-f', `${version}/holdfast.yaml`, '-e', name, '--release', version].concat([
      '--reason',
      `because of ${planted.reason}`,
    ]),
  );

const message = async (verb: string): Promise<void> => {
  const sent = await holdfast([verb, 'shop', '-e', name, '--reason', `for ${planted.reason}`]);
  expect(sent).toMatchObject({ exitCode: 0 });
};

const untilProgress = async (
  release: string,
  expected: (progress: DeployServiceProgress) => boolean,
): Promise<void> => {
  const target = { environment: name, service: 'shop', release };
  const run = await ops.delivery.deployService.getHandle(target);
  await until(() => run.progress(), expected);
};

const handleOf = (release: string) =>
  ops.temporal.workflow.getHandle(`deploy:${name}:shop:${release}`);

beforeAll(async () => {
  stack = await startReleaseStack(1, name);
  target = await startTarget((_, response) => {
    response.end(`Welcome ${planted.body}, and also ${planted.answer}`);
  });
  ring = path.join(stack.directory, 'keys.json');
  terminal = openTerminal(stack, name, {
    HOLDFAST_KEY_RING: ring,
    HOLDFAST_LOG_LEVEL: 'trace',
    HOLDFAST_CODEC_PORT: '0',
    HOLDFAST_CODEC_ORIGIN: 'http://127.0.0.1:8233',
  });
  const access = { kubeconfigPath: stack.kubeconfigPath, context: stack.context };
  await ensureNamespace(access, name);
  const traffic = { url: target.url, host: 'shop.local' };
  await writeEnvironments(path.join(stack.directory, 'environments.yaml'), [
    { ...access, name, namespace: name, traffic },
  ]);
  await plantSecrets('v1', `${smoke(planted.body)}approvals: [{ name: release-manager }]\n`);
  await plantSecrets('v2', smoke('planted-but-not-served'));
  await plantSecrets('v3b', 'approvals: [{ name: release-manager }]\n');
  expect(await holdfast(['keys', 'create'])).toMatchObject({ exitCode: 0 });
  ops = await openOps(ring);
  await startWorker();
}, 30 * minute);

afterAll(async () => {
  await stopWorker();
  await ops.close();
  await target.close();
  await rm(stack.directory, { recursive: true, force: true });
}, minute);

const keysInRing = async (): Promise<string[]> => {
  const listed = await holdfast(['keys', 'list', '--json']);
  const { keys } = JSON.parse(listed.stdout) as { keys: { id: string }[] };
  return keys.map(({ id }) => id);
};

describe('a release whose history is sealed', () => {
  test('key rotation in the middle of a paused release: it ends deployed, and both keys read it', async () => {
    expect(await deploy('v1')).toMatchObject({ exitCode: 5 });
    await untilProgress('v1', ({ waitingFor }) => waitingFor?.planDigest !== undefined);
    await message('pause');
    await message('approve');
    // What comes after the approval is a forward move, and those are paused.
    await untilProgress('v1', ({ status }) => status === 'paused');

    expect(await holdfast(['keys', 'rotate'])).toMatchObject({ exitCode: 0 });
    await stopWorker();
    await startWorker();
    await message('resume');
    const result = await holdfast(['get', 'deploy', 'shop', '-e', name, '--watch']);
    expect(result).toMatchObject({ exitCode: 0 });

    const [first, second, ...others] = await keysInRing();
    expect(others).toEqual([]);
    const { keyIds } = await readSealedHistory(handleOf('v1'), await codecOf(ring));
    expect([...keyIds].sort()).toEqual([first, second].sort());
  });

  test('a planted secret is found neither in its history nor in the log of the worker', async () => {
    const failed = await deploy('v2');
    expect(failed.exitCode).toBe(0);
    const watched = await holdfast(['get', 'deploy', 'shop', '-e', name, '--watch', '--json']);
    expect(watched.exitCode).toBe(7);
    const codec = await codecOf(ring);
    const seen: string[] = [];
    for (const release of ['v1', 'v2']) {
      const { stored, read, clear } = await readSealedHistory(handleOf(release), codec);
      for (const secret of Object.values(planted)) expect(stored).not.toContain(secret);
      expect(stored).not.toContain('planted-');
      for (const text of clear) expect(text).toMatch(coreNote);
      seen.push(read);
    }
    // Whoever has the key reads them: otherwise the search above could find nothing anyway.
    expect(seen[0]).toContain(planted.reason);
    expect(seen[0]).toContain(planted.body);
    expect(seen[1]).toContain('planted-but-not-served');
    expect(workerLog).toContain('workers are polling');
    expect(workerLog).not.toContain('planted-');
  });

  test('the text of an error that a run ends with is sealed, its code is not', async () => {
    expect(await deploy('v3b')).toMatchObject({ exitCode: 5 });
    await untilProgress('v3b', ({ waitingFor }) => waitingFor?.planDigest !== undefined);
    await message('reject');
    const run = await ops.delivery.deployService.getHandle(`deploy:${name}:shop:v3b`);
    const error = await run.result().catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: 'APPROVAL_REJECTED',
      message: expect.stringContaining(planted.reason),
    });
    const { stored } = await readSealedHistory(handleOf('v3b'), await codecOf(ring));
    expect(stored).toContain('APPROVAL_REJECTED');
    expect(stored).toContain('Encoded failure');
    expect(stored).not.toContain('planted-');
  });

  test('the codec endpoint of the worker opens the summary of a run, and its log says for whom', async () => {
    const { stdout } = await holdfast(['keys', 'token', '--for', 'ben@example.com', '--json']);
    const { token, entry } = JSON.parse(stdout) as { token: string; entry: { id: string } };
    const { events } = await handleOf('v1').fetchHistory();
    const { metadata, data } = events?.[0]?.userMetadata?.summary ?? {};
    const base64 = (bytes?: Uint8Array | null): string =>
      Buffer.from(bytes ?? []).toString('base64');
    const fields = Object.entries(metadata ?? {}).map(([field, text]) => [field, base64(text)]);
    const payload = { metadata: Object.fromEntries(fields) as object, data: base64(data) };
    const response = await fetch(`${codecAddress}/decode`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'x-namespace': stack.temporalNamespace },
      body: JSON.stringify({ payloads: [payload] }),
    });
    const { payloads } = (await response.json()) as { payloads: [{ data: string }] };
    expect(Buffer.from(payloads[0].data, 'base64').toString('utf8')).toContain('shop');
    const line = workerLog.split('\n').find((text) => text.includes('payloads.decoded')) ?? '';
    expect(JSON.parse(line)).toMatchObject({
      token: entry.id,
      holder: 'ben@example.com',
      opened: 1,
    });
    expect(workerLog).not.toContain(token);
  });

  test('its run id, search attributes and workflow type stay readable for whoever lists runs', async () => {
    const { stored } = await readSealedHistory(handleOf('v1'), await codecOf(ring));
    expect(stored).toContain('deployService');
    const listed = await ops.listRuns({ environment: name });
    expect(listed.map(({ release }) => release)).toEqual(expect.arrayContaining(['v1', 'v2']));
  });

  test('it replays with the key ring, and without it the error names the key', async () => {
    const { history, keyIds } = await readSealedHistory(handleOf('v1'), await codecOf(ring));
    const { workflowId } = handleOf('v1');
    const withRing = createReplayer({ payloadCodecs: [await codecOf(ring)] });
    const without = createReplayer({ payloadCodecs: [createPayloadCodec(undefined)] });
    try {
      await withRing.replay(history, workflowId);
      const failure = await without.replay(history, workflowId).then(
        () => 'it replayed',
        (error: unknown) => String(error),
      );
      expect(failure).toContain('no key ring is configured');
      expect([...keyIds].filter((id) => failure.includes(id))).toHaveLength(1);
    } finally {
      await withRing.close();
      await without.close();
    }
  });

  test('a client without the key ring gets a coded error that names the key', async () => {
    await using blind = await openOps(undefined);
    const target = { environment: name, service: 'shop', release: 'v1' };
    const error = await blind.delivery.deployService
      .getHandle(target)
      .then((run) => run.result())
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(OpsError);
    expect(error).toMatchObject({
      code: 'PAYLOAD_KEY_MISSING',
      next: expect.stringContaining('HOLDFAST_KEY_RING'),
    });
  });
});
