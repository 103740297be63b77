import type { WebSocket } from 'undici';
import { isRecord, listAt, stringAt } from '../../domain/delivery/canonical-json.ts';
import { currentAttempt, throwIfCancelled } from './activity-attempt.ts';
import { ApiUnreachable } from './api-error.ts';
import type { Cluster } from './environments.ts';
import { collections, objectPath } from './object-access.ts';

interface PodCommand {
  pod: string;
  container: string;
  command: readonly string[];
  timeoutMs: number;
}

interface CommandResult {
  /** Null where it did not end in time or could not be started. */
  exitCode: number | null;
  /** The end of what it wrote to both outputs. */
  output: Buffer;
  /** Why there is no exit code; empty where there is one. */
  reason: string;
}

/** Of the protocol of `kubectl exec`: the first byte of a message says what it carries. */
const channels = { stdout: 1, stderr: 2, status: 3 } as const;
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

const longestOutput = 64 * 1024;

const execPath = (cluster: Cluster, { pod, container, command }: PodCommand): string => {
  const query = new URLSearchParams({ container, stdout: 'true', stderr: 'true' });
  for (const part of command) query.append('command', part);
  const path = objectPath(cluster.namespace, { ...collections.pods, name: pod });
  return `${path}/exec?${query.toString()}`;
};

/** Runs a command in a container and waits for its end. @throws ApiUnreachable */
export const runInPod = async (cluster: Cluster, command: PodCommand): Promise<CommandResult> => {
  const socket = await cluster.api.socket(execPath(cluster, command), protocols);
  socket.binaryType = 'arraybuffer';
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), command.timeoutMs);
  const attempt = currentAttempt();
  const stop = (): void => abort.abort();
  attempt.signal?.addEventListener('abort', stop, { once: true });
  try {
    const result = await readToEnd(socket, abort.signal);
    throwIfCancelled(attempt);
    if (result !== 'broken') return result;
    throw new ApiUnreachable(`exec in ${command.pod}`, 'the connection broke off or was refused');
  } finally {
    clearTimeout(timer);
    attempt.signal?.removeEventListener('abort', stop);
    socket.close();
  }
};

const readToEnd = (socket: WebSocket, timeout: AbortSignal): Promise<CommandResult | 'broken'> =>
  new Promise((resolve) => {
    let output = Buffer.alloc(0);
    const broken = (): void => resolve('broken');
    socket.addEventListener('message', ({ data }) => {
      const bytes = Buffer.from(data as ArrayBuffer);
      const content = bytes.subarray(1);
      if (bytes[0] === channels.status) resolve({ ...endOf(content.toString()), output });
      if (bytes[0] === channels.stdout || bytes[0] === channels.stderr) {
        output = Buffer.concat([output, content]).subarray(-longestOutput);
      }
    });
    socket.addEventListener('close', broken);
    socket.addEventListener('error', broken);
    timeout.addEventListener('abort', () => {
      resolve({ exitCode: null, output, reason: 'it did not end in time' });
    });
  });

/** The end is told as a Status: a success, an exit code, or why nothing ran. */
const endOf = (text: string): Pick<CommandResult, 'exitCode' | 'reason'> => {
  const status = parsed(text);
  if (stringAt(status, 'status') === 'Success') return { exitCode: 0, reason: '' };
  const code = listAt(status, 'details', 'causes')
    .filter(isRecord)
    .find(({ reason }) => reason === 'ExitCode');
  const exitCode = Number(stringAt(code, 'message'));
  return Number.isInteger(exitCode)
    ? { exitCode, reason: '' }
    : { exitCode: null, reason: stringAt(status, 'message') ?? text };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
