import { setTimeout as delay } from 'node:timers/promises';
import type {
  DeployServiceProgress,
  DeployServiceResult,
} from '../../contracts/delivery/deploy-service.ts';
import type { UpdateName } from '../../contracts/messages.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import {
  createReleaseRig,
  type ReleaseRig,
  type RigOptions,
  type Stack,
} from '../kill/release-rig.ts';
import { hostOf, startReleaseStack } from '../setup/release-stack.ts';
import { sendWhile, type RequestReport } from '../setup/steady-requests.ts';
import { progressOf, type ReleaseHandle } from '../workflow/delivery/sample-release.ts';
import { createApiReader, type ApiReader } from './checker/api-reader.ts';
import type { RawObject } from './checker/namespace-snapshot.ts';
import { routeToShop } from './shop-on-real-pods.ts';

/** The sample service in a namespace of its own, with users and an operator. */
export interface Shop {
  readonly namespace: string;
  readonly stack: Stack;
  readonly rig: ReleaseRig;
  readonly reader: ApiReader;
  /** Starts a release and answers its name. */
  start(objects: KubernetesObject[], input: object): Promise<string>;
  release(objects: KubernetesObject[], input: object): Promise<DeployServiceResult>;
  /** Looks at the release again and again until it is as expected. */
  until(
    release: string,
    expected: (progress: DeployServiceProgress) => boolean,
  ): Promise<DeployServiceProgress>;
  send(release: string, verb: UpdateName): Promise<void>;
  /** Users send 210 requests a second through the gateway while the work is done. */
  underTraffic<Value>(work: () => Promise<Value>): Promise<{ value: Value; report: RequestReport }>;
  get(path: string): Promise<RawObject>;
  list(path: string): Promise<RawObject[]>;
  close(): Promise<void>;
}

const operator = { actor: 'operator@example.com', reason: 'the test' };

export const isIn =
  (stage: string) =>
  ({ stages }: DeployServiceProgress): boolean =>
    stages.some(({ name, status }) => name === stage && status === 'running');

const untilProgress = async (
  rig: ReleaseRig,
  release: string,
  expected: (progress: DeployServiceProgress) => boolean,
): Promise<DeployServiceProgress> => {
  const handle: ReleaseHandle = rig.client.workflow.getHandle(rig.workflowId(release));
  for (;;) {
    const progress = await progressOf(handle);
    if (expected(progress)) return progress;
    if (progress.status === 'finished') {
      throw new Error(`${release} ended before that: ${JSON.stringify(progress.failure)}`);
    }
    await delay(100);
  }
};

/** The gateway hears of pods from the API as we do, and on a busy machine later. */
const knownToTheGateway = { stableMs: 1_000 };

/** `name` is part of the name of the namespace; a sandbox that was left running has earlier ones. */
export const openShop = async (name: string, options?: RigOptions): Promise<Shop> => {
  const namespace = `e2e-${name}-${Date.now().toString(36)}`;
  const stack = await startReleaseStack(2, 'e2e');
  const rig = await createReleaseRig(stack, namespace, options);
  const reader = createApiReader(stack.kubeconfigPath, stack.context);
  await routeToShop(stack, namespace);
  let made = 0;
  const start = async (objects: KubernetesObject[], input: object): Promise<string> => {
    made += 1;
    const release = `r${String(made)}`;
    await rig.start({ release, objects, input: { ...knownToTheGateway, ...input } });
    return release;
  };
  return {
    ...{ namespace, stack, rig, reader, start },
    release: async (objects, input) => rig.result(await start(objects, input)),
    until: (release, expected) => untilProgress(rig, release, expected),
    send: async (release, verb) => {
      const handle = rig.client.workflow.getHandle(rig.workflowId(release));
      await handle.executeUpdate(verb, { args: [operator] });
    },
    underTraffic: async (work) => {
      const target = { url: stack.gatewayUrl ?? '', host: hostOf(namespace), perSecond: 210 };
      const done: { value: Awaited<ReturnType<typeof work>> }[] = [];
      const report = await sendWhile(target, async () => {
        done.push({ value: await work() });
      });
      const [first] = done;
      if (first === undefined) throw new Error('the work gave no value');
      return { value: first.value, report };
    },
    get: async (path) => (await reader.get(path)) as RawObject,
    list: async (path) => ((await reader.get(path)) as { items: RawObject[] }).items,
    close: async () => {
      reader.close();
      await rig.close();
    },
  };
};
