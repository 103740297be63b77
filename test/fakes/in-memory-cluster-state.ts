import {
  canonicalJson,
  copyJson,
  isRecord,
  recordAt,
} from '../../domain/delivery/canonical-json.ts';
import { identityOf } from '../../domain/delivery/list-identity.ts';
import { isWorkload } from '../../domain/delivery/manifest-set.ts';
import {
  describeRef,
  type KubernetesObject,
  type ObjectRef,
} from '../../domain/delivery/kubernetes-object.ts';

export interface InMemoryReplicaSet {
  name: string;
  uid: string;
  template: string;
}

/** What the API server merges: members one by one, list elements by their identity. */
export const mergeManifest = (live: unknown, manifest: unknown, field = ''): unknown => {
  if (isRecord(live) && isRecord(manifest)) {
    const merged: Record<string, unknown> = { ...live };
    for (const [key, value] of Object.entries(manifest)) {
      merged[key] = mergeManifest(live[key], value, key);
    }
    return merged;
  }
  if (!Array.isArray(live) || !Array.isArray(manifest)) return copyJson(manifest);
  const names = manifest.map((item) => identityOf(field, item));
  if (names.some((name) => name === undefined)) return copyJson(manifest);
  const kept: unknown[] = live.filter((item) => !names.includes(identityOf(field, item)));
  const changed = manifest.map((item: unknown) => {
    const old: unknown = live.find((other) => identityOf(field, other) === identityOf(field, item));
    return mergeManifest(old, item, field);
  });
  return [...changed, ...kept];
};

/** Objects, and the versions behind workloads, as a cluster without delays keeps them. */
export class InMemoryClusterState {
  readonly objects = new Map<string, KubernetesObject>();
  readonly replicaSets = new Map<string, InMemoryReplicaSet[]>();
  /** StatefulSets with a broken pod, which Kubernetes replaces by no version before it is deleted. */
  readonly stuck = new Set<string>();
  #serial = 0;

  get(ref: ObjectRef): KubernetesObject | undefined {
    return copyJson(this.objects.get(describeRef(ref)));
  }

  all(): KubernetesObject[] {
    return [...this.objects.values()].map((object) => copyJson(object));
  }

  put(object: KubernetesObject): KubernetesObject {
    const name = describeRef({ ...object, name: object.metadata.name });
    const old = this.objects.get(name);
    const specChanged = canonicalJson(old?.['spec']) !== canonicalJson(object['spec']);
    this.#serial += 1;
    const stored = copyJson(object);
    stored.metadata = {
      ...stored.metadata,
      uid: old?.metadata.uid ?? `uid-${String(this.#serial)}`,
      generation: (old?.metadata.generation ?? 0) + (specChanged ? 1 : 0),
      resourceVersion: String(this.#serial),
    };
    this.objects.set(name, stored);
    if (isWorkload(stored)) this.#rollOut(stored);
    return copyJson(stored);
  }

  delete(ref: ObjectRef): void {
    const uid = this.objects.get(describeRef(ref))?.metadata.uid ?? '';
    this.objects.delete(describeRef(ref));
    this.replicaSets.delete(uid);
  }

  /** The ReplicaSet whose template is the Deployment's: the same one for the same template. */
  activeReplicaSet(deployment: KubernetesObject): InMemoryReplicaSet | undefined {
    const template = canonicalJson(recordAt(deployment, 'spec', 'template'));
    return this.replicaSets
      .get(deployment.metadata.uid ?? '')
      ?.find((set) => set.template === template);
  }

  #rollOut(deployment: KubernetesObject): void {
    if (this.activeReplicaSet(deployment) !== undefined) return;
    const uid = deployment.metadata.uid ?? '';
    const sets = this.replicaSets.get(uid) ?? [];
    this.#serial += 1;
    sets.push({
      name: `${deployment.metadata.name}-${String(this.#serial)}`,
      uid: `rs-${String(this.#serial)}`,
      template: canonicalJson(recordAt(deployment, 'spec', 'template')),
    });
    this.replicaSets.set(uid, sets);
  }
}
