/** Level 2 of the sandbox: a real node with real pods on this machine, and a gateway to them. */
import { resolve } from 'node:path';
import { startGateway } from '../gateway/start-gateway.ts';
import { importSampleImages } from '../images/sample-images.ts';
import { PAUSE_IMAGE } from '../images/shop-images.ts';
import type { ControlPlane } from '../kubernetes/control-plane.ts';
import type { HostPreparation, NodeHandle, NodeLayer, NodeOptions } from '../node-layer.ts';
import { packageRoot } from '../package-root.ts';
import { reportStep } from '../progress.ts';
import { SandboxError } from '../sandbox-error.ts';
import { hostChanges, makeHostChanges } from './host-changes.ts';
import { heldBy, leaveLevelTwoToNode, levelTwoHolder, takeLevelTwo } from './level-two-lock.ts';
import { levelTwoObstacles, occupants } from './machine-facts.ts';
import { whileHoldingMachine } from './machine-mutex.ts';
import { NODE_ADDRESS, NODE_NAME, nodePaths } from './node-layout.ts';
import { nodeReady, startAgents, startContainerd } from './start-node.ts';
import { tearDownNode } from './teardown.ts';

export { levelTwoHolder } from './level-two-lock.ts';

async function explainUnavailable(stateDirectory: string): Promise<string | undefined> {
  const obstacles = levelTwoObstacles();
  if (obstacles.length > 0) return obstacles.join(' ');
  const holder = await levelTwoHolder();
  if (holder?.stateDirectory === resolve(stateDirectory)) return undefined;
  if (holder?.alive === true) {
    const { message, next } = heldBy(holder);
    return `${message} ${next}`;
  }
  // What a dead holder left running is cleared away with the rest of it.
  const others = holder === undefined ? await occupants() : [];
  return others.length === 0 ? undefined : others.join(' ');
}

async function prepareHost(preparation: HostPreparation): Promise<void> {
  const stateDirectory = resolve(preparation.stateDirectory);
  nodePaths(stateDirectory); // a path that is too long is refused before anything is changed
  const reason = await explainUnavailable(stateDirectory);
  if (reason !== undefined) throw unavailable(reason);
  await reportStep(
    {
      name: 'host',
      message: 'preparing the machine for pods',
      onProgress: preparation.onProgress,
    },
    async (reporter) =>
      whileHoldingMachine(async () => {
        await takeLevelTwo({
          checkout: packageRoot(),
          stateDirectory,
          clearAway: async (dead) => {
            reporter.say(`clearing away the node of ${dead.stateDirectory}, which has ended`);
            await tearDownNode(dead.stateDirectory);
          },
        });
        await makeHostChanges(stateDirectory, (change) => reporter.say(change));
      }),
  );
}

async function startContainers({
  stateDirectory,
  processes,
  onProgress,
}: HostPreparation): Promise<void> {
  await whileHoldingMachine(async () =>
    startContainerd({ stateDirectory, processes }, PAUSE_IMAGE),
  );
  await importSampleImages(stateDirectory, onProgress);
}

async function startNode(cluster: ControlPlane, options: NodeOptions): Promise<NodeHandle> {
  const { onProgress } = options;
  const [gateway] = await Promise.all([
    reportStep({ name: 'gateway', message: 'starting the gateway', onProgress }, async () =>
      startGateway(cluster, {
        traefikBinary: options.traefikBinary,
        definitionsDirectory: options.gatewayDefinitionsDirectory,
      }),
    ),
    reportStep({ name: 'node', message: 'starting the node', onProgress }, async () =>
      whileHoldingMachine(async () => bringUpNode(cluster)),
    ),
  ]);
  return { nodeName: NODE_NAME, gatewayUrl: gateway.url };
}

async function bringUpNode(cluster: ControlPlane): Promise<void> {
  await startAgents(cluster);
  await nodeReady(cluster);
  await leaveLevelTwoToNode(cluster.stateDirectory);
}

/** Does nothing where this state directory neither has the node nor has left anything of one. */
async function stopNode(stateDirectory: string): Promise<void> {
  await whileHoldingMachine(async () => tearDownNode(resolve(stateDirectory)));
}

function unavailable(reason: string): SandboxError {
  return new SandboxError({
    code: 'SANDBOX_LEVEL_UNAVAILABLE',
    message: `Real pods cannot run here. ${reason}`,
    next: 'Use level 1, or remove what stands in the way and start again.',
  });
}

export const nodeLayer: NodeLayer = {
  nodeAddress: NODE_ADDRESS,
  explainUnavailable,
  listHostChanges: async () => hostChanges(),
  prepareHost,
  startContainers,
  startNode,
  stopNode,
};
