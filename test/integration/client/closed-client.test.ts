import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createOpsClient } from '../../../client/index.ts';
import { startTcpRelay } from '../../setup/tcp-relay.ts';

const [host = '', port = ''] = (process.env['HOLDFAST_TEST_TEMPORAL'] ?? '').split(':');

test('a client that is closed while the server is away leaves its process alive', async () => {
  const relay = await startTcpRelay({ host, port: Number(port) });
  const ops = await createOpsClient({ address: relay.address });
  const { connection } = ops.temporal;
  await relay.close();
  const asked = ops.services.state('staging', 'shop');
  const raw = ops.temporal.withMetadata({ authorization: 'Bearer opensesame' }, async () =>
    connection.workflowService.getSystemInfo({}),
  );
  const refused = raw.then(String, (error: unknown) => error);
  const answer = expect(asked).rejects.toThrow(/closed|answer/);
  // Its first attempt has failed, and the next one is planned.
  await delay(50);
  await ops.close();
  // The timer of the next attempt: an error in it would end this process.
  await answer;
  const error = await refused;
  expect(error).toMatchObject({ code: 1, details: 'the client was closed' });
  // Errors are logged.
  expect(JSON.stringify((error as { metadata: unknown }).metadata)).not.toContain('opensesame');
});
