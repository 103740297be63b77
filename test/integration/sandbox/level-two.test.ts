import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { routeToService } from '../../../sandbox/gateway/start-gateway.ts';
import type { ControlPlane } from '../../../sandbox/kubernetes/control-plane.ts';
import { startControlPlane } from '../../../sandbox/kubernetes/start-control-plane.ts';
import type { NodeHandle } from '../../../sandbox/node-layer.ts';
import { levelTwoHolder, nodeLayer } from '../../../sandbox/node/index.ts';
import { packageRoot } from '../../../sandbox/package-root.ts';
import { openStateDirectory } from '../../../sandbox/state/directory.ts';
import { chooseFreePorts } from '../../../sandbox/state/ports.ts';
import { createProcessSupervisor } from '../../../sandbox/state/processes.ts';
import { locateTool } from '../../../sandbox/tools/locate.ts';
import { describeUnless } from '../../setup/describe-unless.ts';
import { until } from '../../setup/until.ts';
import { machineSnapshot } from './machine-snapshot.ts';
import { ask, sendWhile } from '../../setup/steady-requests.ts';
import type { Answer } from '../../setup/steady-requests.ts';

const runFile = promisify(execFile);
const MINUTE_MS = 60_000;
/** Building Kubernetes, where no earlier layer has done so. */
const FIRST_START_MS = 30 * MINUTE_MS;
const HOST = 'shop.staging.local';

const directory = join(tmpdir(), `holdfast-two-${process.pid}`);
const stateDirectory = join(directory, 'one');
const otherStateDirectory = join(directory, 'other');
const reason = await nodeLayer.explainUnavailable(stateDirectory);
const onProgress = (): void => undefined;

async function bringUp(stateDirectory: string, kubernetesBinary: string): Promise<ControlPlane> {
  const processes = createProcessSupervisor(await openStateDirectory(stateDirectory));
  const machine = { stateDirectory, processes, onProgress };
  await nodeLayer.prepareHost(machine);
  const [apiServer = 0, etcdClient = 0, etcdPeer = 0] = await chooseFreePorts(3);
  const [cluster] = await Promise.all([
    startControlPlane({
      ...machine,
      kubernetesBinary,
      address: nodeLayer.nodeAddress,
      ports: { apiServer, etcdClient, etcdPeer },
    }),
    nodeLayer.startContainers(machine),
  ]);
  await cluster.controllersReady();
  return cluster;
}

describeUnless(reason, 'level 2', () => {
  let before: Record<string, unknown>;
  let cluster: ControlPlane;
  let node: NodeHandle;

  const kubectl = async (...args: string[]): Promise<string> => {
    const credentials = ['kubectl', '--kubeconfig', cluster.kubeconfigPath, '--namespace', 'shop'];
    const { stdout } = await runFile(cluster.kubernetesBinary, [...credentials, ...args]);
    return stdout;
  };
  const deploy = async (version: string): Promise<void> => {
    await kubectl('apply', '-f', join(packageRoot(), 'docs/examples/shop', version, 'k8s'));
  };
  const rolledOut = async (): Promise<void> => {
    await kubectl('rollout', 'status', 'deployment/shop', '--timeout=2m');
  };
  const oldPodsGone = async (): Promise<void> => {
    while ((await kubectl('get', 'pods', '--output', 'name')).trim().split('\n').length > 3) {
      await sleep(100);
    }
  };
  const visit = async (): Promise<Answer> => ask(node.gatewayUrl, { host: HOST });
  /** The gateway hears of new endpoints a moment after the Deployment is rolled out. */
  const answeredBy = async (version: string): Promise<void> => {
    while ((await visit()).version !== version) await sleep(50);
  };
  const requests = (): { url: string; host: string; perSecond: number } => ({
    url: node.gatewayUrl,
    host: HOST,
    perSecond: 220,
  });

  beforeAll(async () => {
    const locate = async (name: 'kubernetes' | 'traefik' | 'gateway-definitions') =>
      (await locateTool(name, { onProgress })).path;
    const kubernetesBinary = await locate('kubernetes');
    const traefikBinary = await locate('traefik');
    const gatewayDefinitionsDirectory = await locate('gateway-definitions');
    before = machineSnapshot();
    cluster = await bringUp(stateDirectory, kubernetesBinary);
    node = await nodeLayer.startNode(cluster, {
      onProgress,
      traefikBinary,
      gatewayDefinitionsDirectory,
    });
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    await cluster.request({ method: 'POST', path: '/api/v1/namespaces', body: namespace });
  }, FIRST_START_MS);

  afterAll(async () => {
    await nodeLayer.stopNode(stateDirectory);
    await cluster.processes.stopAll();
    await rm(directory, { recursive: true, force: true });
  }, MINUTE_MS);

  test(
    'serves a Deployment of real pods through the gateway',
    async () => {
      await deploy('v1');
      // Other files of tests keep the processors busy: the gateway may hear late of pods that end.
      await kubectl('set', 'env', 'deployment/shop', 'SHOP_DRAIN=8s');
      await rolledOut();
      const route = { namespace: 'shop', service: 'shop', servicePort: 80, host: HOST };
      await routeToService(cluster, route);
      await answeredBy('1');
      await expect(ask(node.gatewayUrl, { host: 'other.local' })).resolves.toMatchObject({
        status: 404,
      });
      expect(await kubectl('logs', 'deployment/shop')).toContain('listening');
    },
    2 * MINUTE_MS,
  );

  test(
    'replaces version 1 by version 2 under load without a failed request',
    async () => {
      const report = await sendWhile(requests(), async () => {
        await deploy('v2');
        await rolledOut();
        // Until the last pod of version 1 is gone its answers can still be lost.
        await oldPodsGone();
      });
      expect(report.failures).toEqual([]);
      expect(Object.keys(report.byVersion)).toEqual(['1', '2']);
      await expect(visit()).resolves.toEqual({ status: 200, version: '2' });
    },
    3 * MINUTE_MS,
  );

  test(
    'version 3a never becomes ready, says why, and takes no request',
    async () => {
      const report = await sendWhile(requests(), async () => {
        await deploy('v3a');
        // The deadline of the example, shortened: the sooner the Deployment says that it failed.
        await kubectl(
          'patch',
          'deployment/shop',
          '--patch',
          '{"spec":{"progressDeadlineSeconds":5}}',
        );
        await expect(rolledOut()).rejects.toThrow('exceeded its progress deadline');
      });
      expect(report.failures).toEqual([]);
      expect(Object.keys(report.byVersion)).toEqual(['2']);
      // A container may still be about to start; asking for the log of such a one fails.
      const said = async (): Promise<string> => {
        const pods = await kubectl('get', 'pods', '--output', 'jsonpath={.items[*].metadata.name}');
        const logs = pods.split(' ').map(async (pod) => kubectl('logs', pod).catch(() => ''));
        return (await Promise.all(logs)).join('');
      };
      await until(said, (logs) => logs.includes('not ready: the price list was not loaded'));
    },
    3 * MINUTE_MS,
  );

  test(
    'version 3b becomes ready and fails every visit',
    async () => {
      await deploy('v3b');
      await rolledOut();
      await oldPodsGone();
      await answeredBy('3b');
      await expect(visit()).resolves.toEqual({ status: 500, version: '3b' });
      await expect(ask(`${node.gatewayUrl}/readyz`, { host: HOST })).resolves.toEqual({
        status: 200,
        version: '3b',
      });
    },
    3 * MINUTE_MS,
  );

  test('starts nothing twice and keeps the pods when it is started again', async () => {
    const pods = async (): Promise<string> => kubectl('get', 'pods', '--output', 'name');
    const [podsBefore, processes] = [await pods(), await cluster.processes.list()];
    await expect(startAgain()).resolves.toEqual(node);
    expect(await cluster.processes.list()).toEqual(processes);
    expect(await pods()).toBe(podsBefore);
  });

  test('tells another sandbox of the machine who has the node', async () => {
    const held = await nodeLayer.explainUnavailable(otherStateDirectory);
    expect(held).toContain(packageRoot());
    expect(held).toContain(stateDirectory);
    const processes = createProcessSupervisor(await openStateDirectory(otherStateDirectory));
    await expect(
      nodeLayer.prepareHost({ stateDirectory: otherStateDirectory, processes, onProgress }),
    ).rejects.toMatchObject({ code: 'SANDBOX_LEVEL_UNAVAILABLE' });
    // Neither does its `down` touch what is not its own.
    await nodeLayer.stopNode(otherStateDirectory);
    await expect(visit()).resolves.toMatchObject({ version: '3b' });
  });

  test(
    'lets a pod take a port of the machine',
    async () => {
      const [hostPort = 0] = await chooseFreePorts(1);
      const container = {
        name: 'shop',
        image: 'localhost/shop:2',
        ports: [{ containerPort: 8080, hostPort }],
        readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
      };
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'at-the-machine' },
        spec: { containers: [container] },
      };
      await cluster.request({ method: 'POST', path: '/api/v1/namespaces/shop/pods', body: pod });
      await kubectl('wait', 'pod/at-the-machine', '--for=condition=Ready', '--timeout=1m');
      await expect(ask(`http://127.0.0.1:${hostPort}`, { host: HOST })).resolves.toEqual({
        status: 200,
        version: '2',
      });
    },
    2 * MINUTE_MS,
  );

  test(
    'is cleared away by the next sandbox after everything of it was killed',
    async () => {
      for (const { identity } of await cluster.processes.list()) {
        if (identity !== undefined) process.kill(identity.pid, 'SIGKILL');
      }
      while ((await levelTwoHolder())?.alive === true) await sleep(20);
      const processes = createProcessSupervisor(await openStateDirectory(otherStateDirectory));
      await nodeLayer.prepareHost({ stateDirectory: otherStateDirectory, processes, onProgress });
      expect(await levelTwoHolder()).toMatchObject({ stateDirectory: otherStateDirectory });
      await nodeLayer.stopNode(otherStateDirectory);
      expect(machineSnapshot()).toEqual(before);
    },
    MINUTE_MS,
  );

  async function startAgain(): Promise<NodeHandle> {
    return nodeLayer.startNode(cluster, {
      onProgress,
      traefikBinary: (await locateTool('traefik', { onProgress })).path,
      gatewayDefinitionsDirectory: (await locateTool('gateway-definitions', { onProgress })).path,
    });
  }
});
