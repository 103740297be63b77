import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import type { DeployServiceProgress } from '../contracts/delivery/deploy-service.ts';
import { queryNames } from '../contracts/messages.ts';
import { locateTool, sandboxDown } from '../sandbox/index.ts';
import { createReleaseRig, type ReleaseRig, type Stack } from '../test/kill/release-rig.ts';
import { sampleManifests, versions, type SampleVersion } from '../test/kill/sample-service.ts';
import { levelOneState, startReleaseStack } from '../test/setup/release-stack.ts';
import { median, type Figure } from './figure.ts';

const run = promisify(execFile);

/** Odd, so that the median is a run that happened. */
const rounds = 5;

type Measured = Omit<Figure, 'holds' | 'ratio'>;

interface Peer {
  namespace: string;
  kubectl: (...args: string[]) => Promise<void>;
  directory: string;
}

const createPeer = async (stack: Stack): Promise<Peer> => {
  const { path: binary } = await locateTool('kubernetes', { onProgress: () => undefined });
  const namespace = 'bench-kubectl';
  const flags = ['--kubeconfig', stack.kubeconfigPath, '--context', stack.context];
  const kubectl = async (...args: string[]): Promise<void> => {
    await run(binary, ['kubectl', ...flags, ...args]);
  };
  await kubectl('create', 'namespace', namespace);
  const directory = path.join(stack.directory, 'peer');
  await mkdir(directory, { recursive: true });
  return { namespace, kubectl, directory };
};

/** What a user without Holdfast does for the same change. */
const applyAndWait = async (peer: Peer, version: SampleVersion): Promise<number> => {
  const file = path.join(peer.directory, 'manifests.json');
  const list = { apiVersion: 'v1', kind: 'List', items: sampleManifests(version) };
  await writeFile(file, JSON.stringify(list));
  const startedAt = performance.now();
  await peer.kubectl('-n', peer.namespace, 'apply', '-f', file);
  await peer.kubectl('-n', peer.namespace, 'rollout', 'status', 'deployment/shop');
  return performance.now() - startedAt;
};

const releaseAndWait = async (
  rig: ReleaseRig,
  version: SampleVersion,
  release: string,
): Promise<number> => {
  const startedAt = performance.now();
  const result = await rig.release({ release, objects: sampleManifests(version) });
  const elapsed = performance.now() - startedAt;
  if (result.outcome !== 'deployed') throw new Error(`${release} ended ${result.outcome}`);
  return elapsed;
};

/** Steps of a release: the stages that did something. */
const stepsOf = async (rig: ReleaseRig, release: string): Promise<number> => {
  const handle = rig.client.workflow.getHandle(rig.workflowId(release));
  const progress = await handle.query<DeployServiceProgress>(queryNames.progress);
  return progress.stages.filter((stage) => stage.status === 'done').length;
};

const measureOn = async (stack: Stack): Promise<Measured[]> => {
  const rig = await createReleaseRig(stack, 'bench-holdfast', {
    timeouts: 'standard',
    throughProxy: false,
  });
  const peer = await createPeer(stack);
  await applyAndWait(peer, versions.first);
  await releaseAndWait(rig, versions.first, 'r0');
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const version = round % 2 === 1 ? versions.second : versions.first;
    theirs.push(await applyAndWait(peer, version));
    ours.push(await releaseAndWait(rig, version, `r${String(round)}`));
  }
  const last = `r${String(rounds)}`;
  const steps = await stepsOf(rig, last);
  const description = await rig.client.workflow.getHandle(rig.workflowId(last)).describe();
  await rig.close();
  const total = median(ours) - median(theirs);
  const peerName = 'kubectl apply + kubectl rollout status';
  return [
    {
      bench: 'deploy',
      metric: 'overhead_total_ms',
      value: total,
      unit: 'ms',
      peer: peerName,
      peerValue: median(theirs),
    },
    {
      bench: 'deploy',
      metric: 'overhead_per_step_ms',
      value: total / steps,
      unit: 'ms',
      target: 2_000,
      peer: peerName,
      peerValue: median(theirs),
    },
    {
      bench: 'deploy',
      metric: 'history_events',
      value: description.historyLength,
      unit: 'events',
      target: 150,
    },
  ];
};

/** Ours and kubectl's time for the same change, alternating in one run on one cluster. */
export const measureOverhead = async (): Promise<Measured[]> => {
  const stack = await startReleaseStack(1, `bench-${String(process.pid)}`);
  try {
    return await measureOn(stack);
  } finally {
    await sandboxDown(levelOneState);
  }
};
