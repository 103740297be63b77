import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import type { S3Credentials } from '../../activities/store/s3-blob-store.ts';
import { chooseFreePorts } from '../../sandbox/state/ports.ts';
import { locateTool } from '../../sandbox/tools/locate.ts';

/** A server that speaks S3, checks signatures and keeps objects as files. */
export interface S3Server {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: S3Credentials;
  /** Its buckets are folders of this one, their objects files. */
  readonly directory: string;
  createBucket(name: string): Promise<void>;
  /** A signed request of somebody else with the same rights. */
  request(target: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Makes its own file system larger. */
  growDisk(kilobytes: number): void;
  remove(): Promise<void>;
}

const host = '127.0.0.1';
const region = 'eu-central-1';

export interface S3ServerOptions {
  /** Size of a file system of its own for the buckets; needs root on Linux. */
  diskKilobytes?: number;
}

export const startS3Server = async (options: S3ServerOptions = {}): Promise<S3Server> => {
  const { path: executable } = await locateTool('s3-gateway', { onProgress: () => undefined });
  const own = await mkdtemp(path.join(tmpdir(), 'holdfast-s3-'));
  const directory = path.join(own, 'buckets');
  const properties = path.join(own, 'properties');
  await Promise.all([directory, properties].map(async (each) => mkdir(each, { recursive: true })));
  const [port = 0] = await chooseFreePorts(1);
  const endpoint = `http://${host}:${String(port)}`;
  const credentials = {
    accessKeyId: `AK${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(20).toString('hex'),
  };
  let pid = 0;
  let end: (signal: NodeJS.Signals) => Promise<void> = async () => Promise.resolve();
  const start = async (): Promise<void> => {
    const [program = '', ...args] = onOwnDisk({ directory, ...options }, [
      executable,
      ...['--port', `${host}:${String(port)}`, '--region', region, '--health', '/health'],
      // Beside the objects and not in attributes of the file, which not every file system has.
      ...['--quiet', 'posix', '--sidecar', properties, directory],
    ]);
    const child = spawn(program, args, {
      // Its log says only that it was told to end.
      stdio: ['ignore', 'ignore', 'ignore'],
      env: {
        ...process.env,
        ROOT_ACCESS_KEY: credentials.accessKeyId,
        ROOT_SECRET_KEY: credentials.secretAccessKey,
      },
    });
    pid = child.pid ?? 0;
    const ended = once(child, 'exit');
    end = async (signal) => {
      child.kill(signal);
      await ended;
    };
    while (!(await answers(`${endpoint}/health`))) {
      if (child.exitCode !== null) throw new Error('the S3 server has ended');
      await delay(20);
    }
  };
  await start();
  const client = new AwsClient({ ...credentials, region, service: 's3', retries: 0 });
  const request = async (target: string, init: RequestInit = {}): Promise<Response> =>
    client.fetch(`${endpoint}/${target}`, init);
  return {
    ...{ endpoint, region, credentials, directory, request, start },
    createBucket: async (name) => {
      const { status } = await request(name, { method: 'PUT' });
      if (status !== 200) throw new Error(`the bucket was not made: ${String(status)}`);
    },
    stop: async () => end('SIGTERM'),
    growDisk: (kilobytes) => {
      const size = `remount,size=${String(kilobytes)}k`;
      const inside = ['--mount', '--target', String(pid), 'mount', '-o', size, directory];
      execFileSync('nsenter', inside);
    },
    remove: async () => {
      // It would wait for connections that are kept open.
      await end('SIGKILL');
      await rm(own, { recursive: true, force: true });
    },
  };
};

const answers = async (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/** In a mount namespace, so that the file system goes with the server however that ends. */
const onOwnDisk = (
  { directory, diskKilobytes }: { directory: string; diskKilobytes?: number },
  command: readonly string[],
): readonly string[] => {
  if (diskKilobytes === undefined) return command;
  const mount = `mount -t tmpfs -o size=${String(diskKilobytes)}k tmpfs '${directory}' && exec "$@"`;
  return ['unshare', '--mount', '--', 'sh', '-c', mount, 'sh', ...command];
};

/** Why no file system of one's own can be had here; undefined if it can. */
export const whyNoOwnDisk = (): string | undefined => {
  const command = onOwnDisk({ directory: tmpdir(), diskKilobytes: 64 }, ['true']);
  const [program = '', ...args] = command;
  return spawnSync(program, args).status === 0
    ? undefined
    : 'a file system of its own needs root on Linux, and unshare';
};
