/** Free TCP ports for the sandbox's servers. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { SandboxError } from '../sandbox-error.ts';

/** Below the range from which Linux takes ports for outgoing connections (32768 and up). */
const LOWEST_PORT = 20_000;
const HIGHEST_PORT = 32_000;
const ATTEMPTS = 200;

/** Different ports that nothing listens on now. */
export async function chooseFreePorts(count: number): Promise<readonly number[]> {
  const chosen = new Set<number>();
  for (let attempt = 0; attempt < ATTEMPTS && chosen.size < count; attempt += 1) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    if (await isPortFree(port)) chosen.add(port);
  }
  if (chosen.size === count) return [...chosen];
  throw new SandboxError({
    code: 'SANDBOX_PORT_TAKEN',
    message: `No ${count} free ports were found between ${LOWEST_PORT} and ${HIGHEST_PORT}.`,
    next: 'End other servers on this machine and run the command again.',
  });
}

/** Takes the port at every address for a moment, so that a server at any of them is noticed. */
export async function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
