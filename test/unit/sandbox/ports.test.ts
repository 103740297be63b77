import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { allPorts, choosePorts } from '../../../sandbox/sandbox-plan.ts';
import { chooseFreePorts, isPortFree } from '../../../sandbox/state/ports.ts';
import { parseDevelopmentSettings } from '../../../sandbox/temporal/development-settings.ts';

let server: Server;
let taken: number;

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  taken = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  server.close();
  await once(server, 'close');
});

test('a port on which something listens, at any address, is not free', async () => {
  expect(await isPortFree(taken)).toBe(false);
});

test('ports are chosen free and all different', async () => {
  const ports = await chooseFreePorts(20);
  expect(new Set(ports).size).toBe(20);
  for (const port of ports) expect(await isPortFree(port)).toBe(true);
});

describe('ports of a sandbox', () => {
  const settings = (port: string) => parseDevelopmentSettings(`server: {port: ${port}}`, 'x');

  test('a fixed one is kept', async () => {
    const [free = 0] = await chooseFreePorts(1);
    expect((await choosePorts(settings(String(free)))).temporal).toBe(free);
  });

  test('a fixed one that is taken is refused, naming the field', async () => {
    await expect(choosePorts(settings(String(taken)))).rejects.toMatchObject({
      code: 'SANDBOX_PORT_TAKEN',
      message: expect.stringContaining(`Port ${taken}`) as unknown,
      next: expect.stringContaining('server.port') as unknown,
    });
  });

  test('with auto each server has one of its own', async () => {
    const ports = allPorts(await choosePorts(settings('auto')));
    expect(ports).toHaveLength(7);
    expect(new Set(ports).size).toBe(7);
  });
});
