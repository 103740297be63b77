import {
  isGrpcCancelledError,
  isGrpcDeadlineError,
  isGrpcServiceError,
  type WorkflowHandle,
} from '@temporalio/client';
import type {
  DeployServiceInput,
  DeployServiceProgress,
  DeployServiceResult,
} from '../../../contracts/delivery/deploy-service.ts';
import type { ServiceLockState } from '../../../contracts/delivery/service-lock.ts';
import type { MessageReceipt, UpdateName } from '../../../contracts/messages.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { serviceEntityId } from '../../../domain/delivery/service-lock.ts';
import type { ReleaseServer, World } from './release-server.ts';

/** ConfigMap, Deployment and Service of a sample service; the version is in all of them. */
export const manifestsOf = (version: string): KubernetesObject[] => [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shop-notes' },
    data: { readme: `version ${version}` },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shop-config' },
    data: { GREETING: version },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop', labels: { version } },
    spec: { selector: { app: 'shop' }, ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'shop' } },
      template: {
        metadata: { labels: { app: 'shop' } },
        spec: {
          containers: [
            {
              name: 'shop',
              image: `shop:${version}`,
              envFrom: [{ configMapRef: { name: 'shop-config' } }],
              readinessProbe: { httpGet: { path: '/healthz', port: 80 } },
            },
          ],
        },
      },
    },
  },
];

export const someone = { actor: 'ana@example.com', reason: 'because of the test' };

export type ReleaseHandle = WorkflowHandle<
  (input: DeployServiceInput) => Promise<DeployServiceResult>
>;

/** Starts a release of the sample service. */
export const deploy = async (
  server: ReleaseServer,
  world: World,
  options: { version: string; input?: Partial<DeployServiceInput> },
): Promise<ReleaseHandle> => {
  const { version, input } = options;
  const { environment, cluster } = world;
  return server.env.client.workflow.start<(input: unknown) => Promise<DeployServiceResult>>(
    'deployService',
    {
      workflowId: `deploy:${environment}:shop:${version}`,
      taskQueue: `${server.prefix}-orchestration`,
      args: [
        {
          service: 'shop',
          environment,
          release: version,
          manifestsDigest: await cluster.store(manifestsOf(version)),
          stableMs: 0,
          requestedBy: someone,
          notify: [{ log: true }],
          ...input,
        },
      ],
    },
  );
};

/** An environment in which version 1 runs. */
export const runningWorld = async (server: ReleaseServer): Promise<World> => {
  const world = server.world();
  await (await deploy(server, world, { version: '1' })).result();
  return world;
};

/** An environment in which version 1 runs, written without a release; much faster. */
export const seededWorld = async (server: ReleaseServer): Promise<World> => {
  const world = server.world();
  const { environment, cluster } = world;
  const target = { environment, service: 'shop', release: '1', epoch: 2 };
  const manifestsDigest = await cluster.store(manifestsOf('1'));
  const { planDigest, changes } = await cluster.releases.plan({
    ...target,
    manifestsDigest,
    adopt: false,
  });
  const step = { ...target, planDigest };
  const { preImageDigest } = await cluster.releases.capture(step);
  for (const { index } of changes) {
    await cluster.releases.write({ ...step, preImageDigest, index });
  }
  return world;
};

/** Far longer than an answer takes. */
const answerWithinMs = 5_000;

/**
 * Asks again where the server lost the question: it drops those of a workflow task that became
 * void, and says so only after half a minute or with "please retry".
 */
const ask = async <Answer>(handle: WorkflowHandle, query: string): Promise<Answer> => {
  for (;;) {
    try {
      return await handle.client.withDeadline(Date.now() + answerWithinMs, () =>
        handle.query<Answer>(query),
      );
    } catch (error) {
      if (!isLost(error)) throw error;
    }
  }
};

const isLost = (error: unknown): boolean => {
  if (isGrpcDeadlineError(error) || isGrpcCancelledError(error)) return true;
  const cause = error instanceof Error ? error.cause : undefined;
  return isGrpcServiceError(cause) && cause.details.includes('please retry');
};

export const progressOf = (handle: ReleaseHandle): Promise<DeployServiceProgress> =>
  ask(handle, 'progress');

export const send = (
  handle: ReleaseHandle,
  name: UpdateName,
  extra: Record<string, unknown> = {},
): Promise<MessageReceipt> =>
  handle.executeUpdate<MessageReceipt, [unknown]>(name, { args: [{ ...someone, ...extra }] });

/** Looks at the run again and again until it is as expected; the test's own timeout ends it. */
export const until = async (
  handle: ReleaseHandle,
  expected: (progress: DeployServiceProgress) => boolean,
): Promise<DeployServiceProgress> => {
  for (;;) {
    const progress = await progressOf(handle);
    if (expected(progress)) return progress;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
};

export const entityOf = (server: ReleaseServer, { environment }: World): WorkflowHandle =>
  server.env.client.workflow.getHandle(serviceEntityId(environment, 'shop'));

export const lockOf = (server: ReleaseServer, world: World): Promise<ServiceLockState> =>
  ask(entityOf(server, world), 'state');

/** What was announced about a release. It is sent beside the run: the order is not promised. */
export const announced = ({ notifications }: World, release: string): string[] =>
  notifications.filter((sent) => sent.release === release).map(({ event }) => event);

/** Objects as the cluster has them, without what every write changes. */
export const contentOf = ({ cluster }: World): unknown =>
  cluster
    .objects()
    .map(({ kind, metadata, status: _observed, ...rest }) => ({
      kind,
      name: metadata.name,
      uid: metadata.uid,
      labels: metadata.labels,
      rest,
    }))
    .sort((a, b) => `${a.kind}/${a.name}`.localeCompare(`${b.kind}/${b.name}`));
