import { setTimeout as delay } from 'node:timers/promises';
import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import type { ApiReader } from '../../test/e2e/checker/api-reader.ts';
import { takeSnapshot, type NamespaceSnapshot } from '../../test/e2e/checker/namespace-snapshot.ts';
import { createRigInLane, type ReleaseRig } from '../../test/kill/release-rig.ts';
import type { ReleaseLane } from '../../test/kill/release-lane.ts';
import { editByHand } from './foreign-edit.ts';
import { badManifests, goodManifests, partOf, type Part } from './service-mix.ts';

/** One service in a namespace of its own, with what it has been through. */
export interface ReleasedService {
  part: Part;
  rig: ReleaseRig;
  /** Good releases so far; which version it runs follows from that. */
  goodReleases: number;
  attempts: number;
}

/** A release that ended, and what has to be known to check it. */
export interface EndedRelease {
  service: ReleasedService;
  workflowId: string;
  result: DeployServiceResult;
  /** What was there before; only where it must come back. */
  before?: NamespaceSnapshot;
  /** What someone wrote by hand meanwhile. */
  editedValue?: string;
  /** Workflow id of the release that was first, where this one followed. */
  after?: string;
}

/** As long as a user gives a release who sets nothing. */
const deadlineMs = 600_000;

export const createServices = async (
  lane: ReleaseLane,
  namespaces: readonly string[],
): Promise<ReleasedService[]> => {
  const services: ReleasedService[] = [];
  for (const [index, namespace] of namespaces.entries()) {
    const rig = await createRigInLane(lane, namespace);
    services.push({ part: partOf(index), rig, goodReleases: 0, attempts: 0 });
  }
  return services;
};

interface Started {
  release: string;
  workflowId: string;
}

const start = async (
  service: ReleasedService,
  objects: KubernetesObject[],
  strategy: Part['strategy'],
): Promise<Started> => {
  service.attempts += 1;
  const release = `r${String(service.attempts)}`;
  await service.rig.start({ release, objects, input: { strategy, deadlineMs } });
  return { release, workflowId: service.rig.workflowId(release) };
};

/** The first release of a service: what the later ones go back to. */
export const releaseFirst = async (service: ReleasedService): Promise<void> => {
  const objects = goodManifests(service.part, service.goodReleases);
  const { release } = await start(service, objects, { type: 'rolling' });
  const { outcome } = await service.rig.result(release);
  if (outcome !== 'deployed') throw new Error(`${service.rig.namespace}: it began ${outcome}`);
};

/** A release writes only while it has the lock. The server's log tells, however busy workers are. */
const untilItWrote = async (
  { rig }: ReleasedService,
  { workflowId, release }: Started,
): Promise<void> => {
  const over = new AbortController();
  const end = (): void => {
    over.abort();
  };
  rig.result(release).then(end, end);
  const wrote = async (): Promise<boolean> =>
    (await rig.writes()).some(({ step }) => step.startsWith(`${workflowId}; `));
  while (!over.signal.aborted && !(await wrote())) await delay(500);
};

const releaseGood = async (service: ReleasedService): Promise<EndedRelease[]> => {
  const { rig, part } = service;
  const goodObjects = (): KubernetesObject[] => {
    service.goodReleases += 1;
    return goodManifests(part, service.goodReleases);
  };
  const first = await start(service, goodObjects(), part.strategy);
  if (part.isFollowed !== true) {
    return [{ service, workflowId: first.workflowId, result: await rig.result(first.release) }];
  }
  await untilItWrote(service, first);
  const second = await start(service, goodObjects(), part.strategy);
  const results = await Promise.all([rig.result(first.release), rig.result(second.release)]);
  return [
    { service, workflowId: first.workflowId, result: results[0] },
    {
      service,
      workflowId: second.workflowId,
      result: results[1],
      after: first.workflowId,
    },
  ];
};

const releaseBad = async (
  service: ReleasedService,
  before: NamespaceSnapshot,
): Promise<EndedRelease[]> => {
  const { rig, part } = service;
  const { release, workflowId } = await start(service, badManifests(), part.strategy);
  if (part.isEdited !== true) {
    return [{ service, workflowId, result: await rig.result(release), before }];
  }
  let isOver = false;
  const ended = rig.result(release).finally(() => {
    isOver = true;
  });
  const editedValue = workflowId;
  const edit = { namespace: rig.namespace, value: editedValue, isOver: () => isOver };
  const [result, wasEdited] = await Promise.all([ended, editByHand(rig.stack, edit)]);
  if (!wasEdited) throw new Error(`${workflowId} ended before it could be edited`);
  return [{ service, workflowId, result, before, editedValue }];
};

/** What has to come back exactly is recorded before anything begins. */
export const prepareRelease = async (
  service: ReleasedService,
  reader: ApiReader,
): Promise<() => Promise<EndedRelease[]>> => {
  if (!service.part.fails) return () => releaseGood(service);
  const before = await takeSnapshot(reader, service.rig.namespace);
  return () => releaseBad(service, before);
};
