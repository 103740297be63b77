import type {
  Checks,
  PlanStep,
  ReleasePlan,
  Releases,
  Routes,
  Workloads,
} from '../../activities/kubernetes/port.ts';
import { codedErrorOf } from '../../activities/coded-failure.ts';
import { copyJson, recordAt } from '../../domain/delivery/canonical-json.ts';
import type { KubernetesObject, ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import type { PreviewHeader } from '../../domain/delivery/preview-route.ts';
import type { RolloutStrategy } from '../../domain/delivery/rollout-plan.ts';
import { sampleService, type SampleOptions } from './sample-service.ts';

/** A fresh, empty place for one service, and the hands of someone else in it. */
export interface ReleaseSite {
  releases: Releases;
  workloads: Workloads;
  routes: Routes;
  checks: Checks;
  environment: string;
  store(objects: readonly KubernetesObject[]): Promise<string>;
  get(ref: ObjectRef): Promise<KubernetesObject | undefined>;
  /** Somebody else's edit; undefined deletes the object. */
  edit(
    ref: ObjectRef,
    change: (object: KubernetesObject) => KubernetesObject | undefined,
  ): Promise<void>;
  add(object: KubernetesObject): Promise<void>;
  /** Whether gateways take the routes and report on them; a list names those that do. */
  setGateway(reporting: boolean | readonly string[]): Promise<void>;
}

export interface PrepareOptions extends SampleOptions {
  previous?: DrivenRelease;
  objects?: KubernetesObject[];
  strategy?: RolloutStrategy;
  previewHeader?: PreviewHeader;
}

export const refs = {
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
  service: { apiVersion: 'v1', kind: 'Service', name: 'shop' },
  banner: { apiVersion: 'v1', kind: 'ConfigMap', name: 'shop-banner' },
} as const;

/** Fields of a Deployment's spec that an edit changes. */
export const editSpec =
  (change: (spec: Record<string, unknown>) => void) =>
  (object: KubernetesObject): KubernetesObject => {
    const copy = copyJson(object);
    change(recordAt(copy, 'spec'));
    return copy;
  };

/** A release that is being driven by hand, verb by verb. */
export interface DrivenRelease {
  plan: ReleasePlan;
  step: PlanStep & { preImageDigest: string };
  manifestsDigest: string;
}

export const createDriver = (site: ReleaseSite) => {
  const target = { environment: site.environment, service: 'shop' };

  const prepare = async (
    release: string,
    epoch: number,
    options: PrepareOptions,
  ): Promise<DrivenRelease> => {
    const manifestsDigest = await site.store(options.objects ?? sampleService(options));
    const { previous, strategy, previewHeader } = options;
    const plan = await site.releases.plan({
      ...target,
      release,
      manifestsDigest,
      ...(previous === undefined ? {} : { previousManifestsDigest: previous.manifestsDigest }),
      ...(strategy === undefined ? {} : { strategy }),
      ...(previewHeader === undefined ? {} : { previewHeader }),
      adopt: false,
      epoch,
    });
    const step = { ...target, release, planDigest: plan.planDigest, epoch };
    const { preImageDigest } = await site.releases.capture(step);
    return { plan, step: { ...step, preImageDigest }, manifestsDigest };
  };

  const awaitChange = async (
    change: ReleasePlan['changes'][number],
    generation: number,
    force: { forceEpoch?: number } = {},
  ): Promise<string> => {
    const { rollout } = change;
    if (rollout === undefined) return '';
    const seen = await site.workloads.awaitRollout({
      ...target,
      object: change.object,
      generation,
      deadlineMs: 30_000,
      stableMs: 0,
      ...force,
    });
    if (rollout.services.length === 0 || seen.wantedReplicas === 0) return seen.replicaSet.uid;
    await site.workloads.awaitEndpoints({
      ...target,
      services: rollout.services,
      replicaSetUid: seen.replicaSet.uid,
      replicas: rollout.replicas,
      deadlineMs: 30_000,
    });
    return seen.replicaSet.uid;
  };

  const forward = async (driven: DrivenRelease): Promise<string[]> => {
    const uids: string[] = [];
    for (const change of driven.plan.changes) {
      const { generation } = await site.releases.write({ ...driven.step, index: change.index });
      const uid = await awaitChange(change, generation);
      if (uid !== '') uids.push(uid);
    }
    return uids;
  };

  const back = async (driven: DrivenRelease): Promise<string[]> => {
    const outcomes: string[] = [];
    for (const change of driven.plan.changes.toReversed()) {
      const epoch = driven.step.epoch + 1;
      const request = { ...driven.step, epoch, index: change.index };
      const { outcome, generation } = await site.releases.revert(request);
      outcomes.push(`${change.step}: ${outcome}`);
      if (change.action === 'patch') await awaitChange(change, generation, { forceEpoch: epoch });
    }
    return outcomes;
  };

  const proof = (driven: DrivenRelease, direction: 'forward' | 'back') =>
    site.releases.prove({ ...driven.step, direction });

  const deployed = async (release: string, epoch: number, options: PrepareOptions = {}) => {
    const driven = await prepare(release, epoch, options);
    await forward(driven);
    return driven;
  };

  return { target, prepare, awaitChange, forward, back, proof, deployed };
};

export const codeOf = async (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => 'no error',
    (error: unknown) => codedErrorOf(error)?.code ?? String(error),
  );

export const indexOf = (driven: DrivenRelease, step: string): number => {
  const change = driven.plan.changes.find((candidate) => candidate.step === step);
  if (change === undefined) throw new Error(`the plan has no step ${step}`);
  return change.index;
};
