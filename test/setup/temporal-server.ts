import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { packageRoot } from '../../sandbox/package-root.ts';
import { chooseFreePorts } from '../../sandbox/state/ports.ts';
import { startDevArgs } from '../../sandbox/temporal/development-server.ts';
import { readDevelopmentSettings } from '../../sandbox/temporal/development-settings.ts';
import { locateTool } from '../../sandbox/tools/locate.ts';

/** A Temporal server with the settings of temporal-dev.yaml. */
export interface TemporalServer {
  /** `host:port` */
  readonly address: string;
  readonly port: number;
  stop(): Promise<void>;
}

export interface TemporalServerOptions {
  port?: number;
  /** Without a file it forgets everything when it ends. */
  databasePath?: string;
}

const keptOutputChars = 4_000;
const host = '127.0.0.1';

/** Starts a server and waits, as long as it lives, until it serves. */
export const startTemporalServer = async (
  options: TemporalServerOptions = {},
): Promise<TemporalServer> => {
  const { path: executable } = await locateTool('temporal', { onProgress: () => undefined });
  const [freePort = 0, ui = 0] = await chooseFreePorts(2);
  const { port = freePort, databasePath } = options;
  const child = spawn(executable, await argumentsFor({ server: port, ui }, databasePath), {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output = `${output}${chunk.toString()}`.slice(-keptOutputChars);
  });
  const ended = once(child, 'exit');
  const address = `${host}:${String(port)}`;
  while (!(await serves(address))) {
    if (hasEnded(child)) throw new Error(`the Temporal server has ended:\n${output}`);
    await delay(50);
  }
  return {
    address,
    port,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
};

const argumentsFor = async (
  ports: { server: number; ui: number },
  databasePath: string | undefined,
): Promise<readonly string[]> => {
  const settings = await readDevelopmentSettings(path.join(packageRoot(), 'temporal-dev.yaml'));
  const persistence = databasePath === undefined ? 'memory' : 'file';
  const server = { ...settings.server, address: host, persistence } as const;
  return startDevArgs({ ...settings, server }, { ports, databasePath: databasePath ?? '' });
};

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

const serves = async (address: string): Promise<boolean> => {
  try {
    const connection = await Connection.connect({ address, connectTimeout: '2s' });
    try {
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      return true;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
};
