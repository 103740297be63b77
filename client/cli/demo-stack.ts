import path from 'node:path';
import {
  sandboxDown,
  sandboxStatus,
  resolveStateDirectory,
  type Sandbox,
} from '../../sandbox/index.ts';
import { createOpsClient, type OpsClient, type OpsClientOptions } from '../index.ts';
import { bringUp, sandboxAddresses } from './bring-up.ts';
import type { ProberSettings } from './demo-prober.ts';
import { prepareTrust, type DemoTrust, type StoryPerson } from './demo-trust.ts';
import { bundleEarly } from './early-bundle.ts';
import { loadSampleImages } from './load-images.ts';
import { promisedRequestsPerSecond } from './demo-chapters.ts';
import {
  ensureNamespace,
  ensureRoute,
  removeNamespace,
  sandboxAccess,
  writeEnvironments,
  type ClusterAccess,
} from './sandbox-cluster.ts';
import { createStepProgress } from './step-progress.ts';
import { say, type Terminal } from './terminal.ts';
import { superviseWorker } from './supervised-worker.ts';

/** Everything that the story needs, running. */
export interface DemoStack {
  ops: OpsClient;
  /** With `--secure`: someone else, who approves each plan. */
  approver: OpsClient | undefined;
  environment: string;
  /** `null` where requests cannot be sent, with the reason in `noTraffic`. */
  traffic: ProberSettings | null;
  noTraffic: string;
  /** Ends what was started; the sandbox stays where it was there before or is to be kept. */
  close: () => Promise<void>;
}

export interface DemoFlags {
  keep?: boolean;
  yes?: boolean;
  secure?: boolean;
  level?: string;
  context?: string;
  kubeconfig?: string;
  image?: string;
}

/** Its own environment and queues: a running `npm start` neither helps nor disturbs. */
const environment = 'demo';
const service = 'shop';
const servicePort = 80;
const host = `${service}.${environment}.local`;

// A little more than promised, so that a late tick does not break the promise.
const headroom = 1.15;

export const bringUpDemo = async (terminal: Terminal, flags: DemoFlags): Promise<DemoStack> => {
  const stateDirectory = await resolveStateDirectory();
  const { state } = await sandboxStatus(stateDirectory);
  // First, so that a cluster which cannot have the images is refused before anything is started.
  if (flags.context !== undefined && flags.image === undefined) {
    await loadImages(terminal, flags.context);
  }
  const undo: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
  };
  const bundle = await bundleEarly();
  undo.push(async () => bundle.remove());
  const level = flags.context === undefined ? flags : { level: '1' };
  const sandbox = await bringUp(terminal, level).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  undo.push(async () => {
    if (state === 'absent' && flags.keep !== true) await takeDown(terminal, stateDirectory);
    else say(terminal, `The sandbox stays: ${sandbox.temporal.uiUrl}`);
  });
  try {
    const workflowBundle = await bundle.ready;
    const stage = { terminal, flags, sandbox, workflowBundle, undo };
    return { ...(await openStage(stage)), close };
  } catch (error) {
    await close();
    throw error;
  }
};

interface Stage {
  terminal: Terminal;
  flags: DemoFlags;
  sandbox: Sandbox;
  workflowBundle: string | undefined;
  /** What ends the things that were started, in the order of starting. */
  undo: (() => Promise<void>)[];
}

/** Namespace, route, workers and client of the story. */
const openStage = async (stage: Stage): Promise<Omit<DemoStack, 'close'>> => {
  const { terminal, flags, sandbox, undo } = stage;
  const target = targetOf(sandbox, flags);
  const { access, namespace, gatewayUrl, noTraffic } = target;
  for (const [name, value] of sandboxAddresses(sandbox))
    say(terminal, `${name}: ${value}`, 'faint');
  const isNew = await ensureNamespace(access, namespace);
  if (isNew && flags.context !== undefined && flags.keep !== true) {
    undo.push(async () => removeNamespace(access, namespace));
  }
  if (gatewayUrl !== undefined) {
    await ensureRoute(access, { namespace, service, servicePort, host });
  }
  const environmentsFile = path.join(sandbox.stateDirectory, 'demo', 'environments.yaml');
  await writeEnvironments(environmentsFile, [environmentOf(target)]);
  const crew = await startCrew(stage, environmentsFile);
  const traffic = gatewayUrl === undefined ? null : proberFor(gatewayUrl);
  return { ...crew, environment, traffic, noTraffic };
};

/** The workers, and a client of each person of the story. */
const startCrew = async (
  { terminal, flags, sandbox, workflowBundle, undo }: Stage,
  environmentsFile: string,
): Promise<Pick<DemoStack, 'ops' | 'approver'>> => {
  const queuePrefix = `holdfast-${environment}`;
  const { stateDirectory } = sandbox;
  const trust = flags.secure === true ? await prepareTrust(stateDirectory, environment) : undefined;
  const worker = await superviseWorker({
    settings: { environmentsFile, queuePrefix, workflowBundle, trust },
    stateDirectory,
    onCrash: (how) =>
      say(terminal, `The workers ended with ${how}; they are started again.`, 'bad'),
  });
  undo.push(async () => worker.stop());
  const clientOf = async (proof: Pick<OpsClientOptions, 'keyRingFile' | 'access'>) => {
    const ops = await createOpsClient({ stateDirectory, queuePrefix, ...proof });
    undo.push(async () => ops.close());
    return ops;
  };
  if (trust === undefined) return { ops: await clientOf({}), approver: undefined };
  sayTrust(terminal, trust, worker.codecAddress);
  return {
    ops: await clientOf(proofOf(trust, trust.releaser)),
    approver: await clientOf(proofOf(trust, trust.approver)),
  };
};

const proofOf = (
  { accessFile, keyRingFile }: DemoTrust,
  { accessKey }: StoryPerson,
): Pick<OpsClientOptions, 'keyRingFile' | 'access'> => ({
  keyRingFile,
  access: { accessFile, accessKey },
});

const sayTrust = (
  terminal: Terminal,
  { releaser, approver, codecToken }: DemoTrust,
  codecAddress: string | undefined,
): void => {
  say(terminal, `${releaser.name} asks for each release, ${approver.name} approves its plan.`);
  say(terminal, 'What Temporal stores is sealed. To read it in the Temporal UI while this runs,');
  say(terminal, `sign in at ${codecAddress ?? ''} with ${codecToken}`);
  say(terminal, 'and enter that address in the UI, behind the glasses.');
};

const loadImages = async (terminal: Terminal, context: string): Promise<void> => {
  say(terminal, `loading the images of the shop into ${context}`);
  const progress = createStepProgress(terminal);
  try {
    await loadSampleImages(context, progress.report);
  } finally {
    progress.finish();
  }
};

interface DemoTarget {
  access: ClusterAccess;
  namespace: string;
  clusterUid: string | undefined;
  gatewayUrl: string | undefined;
  noTraffic: string;
}

const targetOf = (sandbox: Sandbox, { context, kubeconfig }: DemoFlags): DemoTarget => {
  if (context !== undefined) {
    return {
      access: { context, kubeconfigPath: kubeconfig },
      namespace: `holdfast-${environment}`,
      clusterUid: undefined,
      gatewayUrl: undefined,
      noTraffic: 'the way into an existing cluster is not known to the demo',
    };
  }
  return {
    access: sandboxAccess(sandbox),
    namespace: environment,
    clusterUid: sandbox.kubernetes.clusterUid,
    gatewayUrl: sandbox.gateway?.url,
    noTraffic: sandbox.levelReason ?? 'pods of level 1 carry no traffic',
  };
};

const environmentOf = ({ access, namespace, clusterUid, gatewayUrl }: DemoTarget) => ({
  ...access,
  name: environment,
  namespace,
  clusterUid,
  traffic: gatewayUrl === undefined ? ('none' as const) : { url: gatewayUrl, host },
});

const proberFor = (url: string): ProberSettings => ({
  url,
  host,
  requestsPerSecond: Math.ceil(promisedRequestsPerSecond * headroom),
});

const takeDown = async (terminal: Terminal, stateDirectory: string): Promise<void> => {
  const progress = createStepProgress(terminal);
  try {
    await sandboxDown(stateDirectory, { onProgress: progress.report });
  } finally {
    progress.finish();
  }
};
