import { describe, expect, test } from '@jest/globals';
import { queueOf, renderQueue } from '../../../client/cli/render-queue.ts';
import type { ServiceLockState } from '../../../contracts/delivery/service-lock.ts';

const lock: ServiceLockState = {
  schemaVersion: 1,
  environment: 'staging',
  service: 'shop',
  status: 'held',
  epoch: 3,
  queue: [
    { requestId: 'c', workflowId: 'c', runId: 'c', release: '2.4.10', queue: 'hotfix' },
    { requestId: 'b', workflowId: 'b', runId: 'b', release: '2.4.2' },
  ],
  releases: [],
  unwoundReleases: [],
  unsweptReleases: [],
  settledRequestIds: [],
  timeoutProfile: 'standard',
};

describe('the queue of a service', () => {
  test('shows each release with its place and how it queues', () => {
    expect(renderQueue(queueOf(lock), { widthChars: 80, colour: false })).toEqual([
      '',
      'place  waiting  queue',
      '1      2.4.10   hotfix',
      '2      2.4.2    wait',
    ]);
  });

  test('has no lines where nobody waits, or nobody ever asked for the lock', () => {
    for (const nobody of [{ ...lock, queue: [] }, null]) {
      expect(renderQueue(queueOf(nobody), { widthChars: 80, colour: false })).toEqual([]);
    }
  });
});
