import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import { nodeLayer } from '../../sandbox/node/index.ts';
import { createReleaseRig, type ReleaseRig, type Stack } from '../kill/release-rig.ts';
import { describeUnless } from '../setup/describe-unless.ts';
import { levelTwoState, startReleaseStack } from '../setup/release-stack.ts';
import { createApiReader, type ApiReader } from './checker/api-reader.ts';
import { compareSnapshots } from './checker/compare.ts';
import { takeSnapshot, takeSnapshotAtRest } from './checker/namespace-snapshot.ts';
import { routeToShop, shopManifests } from './shop-on-real-pods.ts';

const namespace = `e2e-checks-${Date.now().toString(36)}`;
const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);

/** A Job in whose pod nothing listens, so that the check that it runs fails. */
const lonely = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'lonely' },
  spec: {
    backoffLimit: 0,
    template: {
      spec: {
        restartPolicy: 'Never',
        containers: [
          {
            name: 'check',
            image: 'localhost/shop:1',
            imagePullPolicy: 'IfNotPresent',
            command: ['/shop', 'check'],
          },
        ],
      },
    },
  },
};

describeUnless(reason, 'checks on real pods', () => {
  let stack: Stack;
  let rig: ReleaseRig;
  let reader: ApiReader;

  const release = (
    name: string,
    version: 'v1' | 'v2',
    input: object,
  ): Promise<DeployServiceResult> =>
    rig.release({ release: name, objects: shopManifests(version), input: { ...input } });

  const keptOutput = async (result: DeployServiceResult): Promise<string> => {
    const digest = result.evidence.checks?.at(-1)?.outputDigest ?? '';
    return new TextDecoder().decode(await stack.blobs.get(digest));
  };

  beforeAll(async () => {
    stack = await startReleaseStack(2, 'e2e');
    // The proxy of the faults speaks no WebSocket.
    rig = await createReleaseRig(stack, namespace, { timeouts: 'test', throughProxy: false });
    reader = createApiReader(stack.kubeconfigPath, stack.context);
    await routeToShop(stack, namespace);
  }, 30 * minute);

  afterAll(async () => {
    reader.close();
    await rig.close();
  });

  test('a command in a pod of the new version passes, and what it said is kept', async () => {
    const result = await release('a', 'v1', { smoke: [{ exec: ['/shop', 'check'] }] });
    expect(result.failure).toBeUndefined();
    expect(result.gates.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['smoke: exec /shop check', 'pass'],
      ['smoke', 'pass'],
    ]);
    expect(await keptOutput(result)).toBe('healthy, version 1\n');
  });

  test('a command that fails puts the release back, with its exit code and its output', async () => {
    const before = await takeSnapshotAtRest(reader, namespace);
    // A second shop in one pod finds its port taken.
    const result = await release('b', 'v2', { smoke: [{ exec: ['/shop'] }] });
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failure: { code: 'SMOKE_FAILED', message: expect.stringContaining('exit code 1') },
    });
    expect(await keptOutput(result)).toContain('address already in use');
    expect(compareSnapshots(before, await takeSnapshot(reader, namespace))).toEqual([]);
  });

  test.each([
    ['that does not end', { exec: ['/shop', 'pause'], timeoutMs: 1_000 }, 'did not end in time'],
    ['that is not there', { exec: ['/no-such-program'] }, 'no-such-program'],
  ])('a command %s puts the release back', async (_case, check, said) => {
    const result = await release(`c-${check.exec.join('')}`.replaceAll('/', '-'), 'v2', {
      smoke: [check],
    });
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failure: { code: 'SMOKE_FAILED', message: expect.stringContaining(said) },
    });
  });

  test('a Job that fails after the bake puts the release back; its log stays, it goes', async () => {
    const before = await takeSnapshotAtRest(reader, namespace);
    const result = await release('d', 'v2', { verification: [{ job: lonely }] });
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'verification',
      failure: { code: 'VERIFICATION_FAILED' },
    });
    expect(await keptOutput(result)).toContain('not healthy');
    expect(compareSnapshots(before, await takeSnapshot(reader, namespace))).toEqual([]);
  });
});
