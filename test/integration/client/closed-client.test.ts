import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createOpsClient } from '../../../client/index.ts';
import { startTcpRelay } from '../../setup/tcp-relay.ts';

const [host = '', port = ''] = (process.env['HOLDFAST_TEST_TEMPORAL'] ?? '').split(':');

test('a client that is closed while the server is away leaves its process alive', async () => {
  const relay = await startTcpRelay({ host, port: Number(port) });
  const ops = await createOpsClient({ address: relay.address });
  await relay.close();
  const asked = ops.services.state('staging', 'shop');
  const answer = expect(asked).rejects.toThrow(/closed|answer/);
  // Its first attempt has failed, and the next one is planned.
  await delay(50);
  await ops.close();
  // The timer of the next attempt: an error in it would end this process.
  await answer;
});
