import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Notification } from '../../../activities/notify/port.ts';
import { createFilesystemReleaseRecords } from '../../../activities/store/index.ts';
import type { Fate } from '../../kill/fault-proxy.ts';
import { createReleaseRig, type ReleaseRig, type Stack } from '../../kill/release-rig.ts';
import { sampleManifests, versions } from '../../kill/sample-service.ts';
import { startReleaseStack } from '../../setup/release-stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startReleaseStack(1, 'incident');
}, 1_800_000);

interface Receiver {
  url: string;
  /** Every request, repeats too. */
  received: Notification[];
  close(): Promise<void>;
}

/** What happens around the first incident: `before` its answer, or `after` it was sent. */
interface Crash {
  before?: () => void;
  after?: () => void;
}

const startReceiver = async (crash: Crash): Promise<Receiver> => {
  const received: Notification[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const notification = JSON.parse(text) as Notification;
      const isFirst =
        notification.event === 'incident.open' &&
        !received.some(({ event }) => event === 'incident.open');
      received.push(notification);
      if (isFirst && crash.before !== undefined) {
        crash.before();
        request.socket.destroy();
        return;
      }
      response.end('thanks', () => {
        if (isFirst) crash.after?.();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** The worker dies at the first look of the proof that everything is as before. */
const crashAtProofOf =
  (rig: ReleaseRig) =>
  (request: { userAgent: string }): Fate => {
    if (!request.userAgent.includes('releases.prove')) return { kind: 'forward' };
    rig.proxy.decide = () => ({ kind: 'forward' });
    return { kind: 'lose-before', meanwhile: () => rig.worker.crash() };
  };

const moments: { when: string; crash: (rig: ReleaseRig) => Crash }[] = [
  {
    when: 'right before it is sent',
    crash: (rig) => {
      rig.proxy.decide = crashAtProofOf(rig);
      return {};
    },
  },
  {
    when: 'while it is sent, so that the answer is lost',
    crash: (rig) => ({ before: () => rig.worker.crash() }),
  },
  {
    when: 'right after it was sent',
    crash: (rig) => ({ after: () => rig.worker.crash() }),
  },
];

describe('incident.open of a release that is put back', () => {
  let serial = 0;
  const rigs: ReleaseRig[] = [];
  afterAll(async () => {
    for (const rig of rigs) await rig.close();
  });

  test.each(moments)('is one event when the worker is killed $when', async ({ crash }) => {
    serial += 1;
    const namespace = `incident-${Date.now().toString(36)}-${String(serial)}`;
    const rig = await createReleaseRig(stack, namespace);
    rigs.push(rig);
    await rig.release({ release: 'r1', objects: sampleManifests(versions.first) });
    const receiver = await startReceiver(crash(rig));
    const result = await rig.release({
      release: 'r2',
      objects: sampleManifests(versions.bad),
      input: { notify: [{ webhook: receiver.url }] },
    });
    await receiver.close();
    expect(result.outcome).toBe('restored-exactly');
    expect(rig.worker.starts).toBe(2);

    // A receiver that drops repeats by their id has exactly one, and it says what happened.
    const incidents = receiver.received.filter(({ event }) => event === 'incident.open');
    const distinct = new Map(incidents.map((incident) => [incident.id, incident]));
    expect([...distinct.values()]).toEqual([
      expect.objectContaining({
        release: 'r2',
        environment: namespace,
        incident: expect.objectContaining({
          failedStep: 'roll out Deployment/shop',
          code: result.failure?.code,
          outcome: 'restored-exactly',
          planDigest: result.planDigest,
          preImageDigest: result.evidence.preImageDigest,
        }),
      }),
    ]);
    for (const incident of incidents) expect(incident).toEqual(incidents[0]);

    // The figures of delivery know each release once, whatever died on the way.
    const directory = path.join(stack.blobsDirectory, 'releases');
    const ended = await createFilesystemReleaseRecords({ directory }).all();
    const endings = ended
      .filter(({ environment }) => environment === namespace)
      .map(({ release, ending }) => `${release}: ${ending}`);
    expect(endings.toSorted()).toEqual(['r1: deployed', 'r2: failed']);
  });
});
