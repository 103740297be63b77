/** The Temporal development server: its command line, start and restart. */
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { reportStep } from '../progress.ts';
import type { OnProgress } from '../progress.ts';
import { PRIVATE_DIRECTORY_MODE } from '../state/atomic-file.ts';
import { statePaths } from '../state/directory.ts';
import type { ProcessSupervisor } from '../state/processes.ts';
import { waitUntil } from '../state/wait-until.ts';
import { runCommand } from '../tools/run-command.ts';
import type { DevelopmentSettings } from './development-settings.ts';

export const TEMPORAL_PROCESS = 'temporal';

export interface DevelopmentServerOptions {
  readonly stateDirectory: string;
  readonly temporalBinary: string;
  readonly settings: DevelopmentSettings;
  readonly ports: { readonly server: number; readonly ui: number };
  readonly processes: ProcessSupervisor;
  readonly onProgress: OnProgress;
}

export interface DevelopmentServer {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string;
}

const READY_WITHIN_MS = 60_000;
/** SQLite wants its transactions ended; the server does so in well under a second. */
const STOP_WITHIN_MS = 10_000;

export async function startDevelopmentServer(
  options: DevelopmentServerOptions,
): Promise<DevelopmentServer> {
  const { settings, ports } = options;
  const host = settings.server.address;
  const [namespace = 'default'] = settings.namespaces;
  const server: DevelopmentServer = {
    address: `${host}:${ports.server}`,
    namespace,
    uiUrl: `http://${host}:${ports.ui}`,
  };
  await reportStep(
    {
      name: 'temporal',
      message: 'starting the Temporal server',
      onProgress: options.onProgress,
    },
    async () => {
      const directory = statePaths(options.stateDirectory).temporal;
      await mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
      await options.processes.start({
        name: TEMPORAL_PROCESS,
        command: options.temporalBinary,
        args: startDevArgs(settings, { ports, databasePath: join(directory, 'temporal.db') }),
        stopWithinMs: STOP_WITHIN_MS,
      });
      await waitForServer(options, server);
    },
  );
  return server;
}

/** The flags of `temporal server start-dev` for these settings. */
export function startDevArgs(
  settings: DevelopmentSettings,
  local: { readonly ports: DevelopmentServerOptions['ports']; readonly databasePath: string },
): readonly string[] {
  const { server } = settings;
  const repeated = (flag: string, values: readonly string[]): readonly string[] =>
    values.flatMap((value) => [flag, value]);
  const assignments = (record: Readonly<Record<string, unknown>>): readonly string[] =>
    Object.entries(record).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return [
    ...['server', 'start-dev'],
    ...['--ip', server.address, '--port', String(local.ports.server)],
    ...['--ui-ip', server.address, '--ui-port', String(local.ports.ui)],
    // The news would be fetched from another host.
    '--ui-disable-news-fetch',
    ...['--log-level', server.logLevel],
    ...(server.persistence === 'file' ? ['--db-filename', local.databasePath] : []),
    ...repeated('--namespace', settings.namespaces),
    ...repeated(
      '--search-attribute',
      Object.entries(settings.searchAttributes).map(([key, type]) => `${key}=${type}`),
    ),
    ...repeated('--dynamic-config-value', assignments(settings.dynamicConfig)),
  ];
}

async function waitForServer(
  options: DevelopmentServerOptions,
  server: DevelopmentServer,
): Promise<void> {
  const { settings, ports, temporalBinary, processes } = options;
  await waitUntil({
    what: 'the Temporal server to serve its namespace',
    // The command costs a process, so it is asked only once the port is open.
    probe: async () =>
      (await acceptsConnections(settings.server.address, ports.server)) &&
      (await servesNamespace(temporalBinary, server)),
    processes,
    needs: [TEMPORAL_PROCESS],
    timeoutMs: READY_WITHIN_MS,
  });
}

async function servesNamespace(binary: string, server: DevelopmentServer): Promise<boolean> {
  const { exitCode } = await runCommand({
    command: binary,
    args: [
      ...['operator', 'namespace', 'describe', '--namespace', server.namespace],
      ...['--address', server.address, '--disable-config-file', '--disable-config-env'],
    ],
  });
  return exitCode === 0;
}

async function acceptsConnections(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
