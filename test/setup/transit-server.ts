import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { chooseFreePorts } from '../../sandbox/state/ports.ts';
import { locateTool } from '../../sandbox/tools/locate.ts';

/** The transit engine of Vault, with keys in memory and one token. */
export interface TransitServer {
  readonly endpoint: string;
  readonly token: string;
  /** Asks as the one who owns the keys. */
  request(path: string, body?: object): Promise<Response>;
  stop(): Promise<void>;
}

const host = '127.0.0.1';

export const startTransitServer = async (): Promise<TransitServer> => {
  const { path: executable } = await locateTool('transit-engine', { onProgress: () => undefined });
  const [port = 0] = await chooseFreePorts(1);
  const endpoint = `http://${host}:${String(port)}`;
  const token = randomBytes(16).toString('hex');
  const child = spawn(executable, [`${host}:${String(port)}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, TRANSIT_TOKEN: token },
  });
  const ended = once(child, 'exit');
  const request = async (path: string, body?: object): Promise<Response> =>
    fetch(`${endpoint}/v1/transit/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'x-vault-token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const answers = async (): Promise<boolean> =>
    request('keys/any').then(
      () => true,
      () => false,
    );
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error('the transit engine has ended');
    await delay(20);
  }
  return {
    ...{ endpoint, token, request },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
};
