import { draftCandidate, type Drafted } from '../../../domain/delivery/candidate-draft.ts';
import type { CandidateFacts } from '../../../domain/delivery/candidate-facts.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { refOf } from '../../../domain/delivery/manifest-set.ts';
import type { PlanEntry } from '../../../domain/delivery/release-plan.ts';

export const suffix = '3f9a1c';
export const labels = { app: 'shop', tier: 'web' };

export const workload = (image: string, over: object = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'shop',
    uid: 'uid-1',
    creationTimestamp: 'then',
    labels: { ...labels, 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: { 'meta.helm.sh/release-name': 'shop' },
  },
  spec: {
    replicas: 5,
    paused: true,
    selector: { matchLabels: { app: 'shop' } },
    template: {
      metadata: { labels },
      spec: {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'host', labelSelector: { matchLabels: { app: 'shop' } } },
              { topologyKey: 'host', labelSelector: { matchLabels: { app: 'database' } } },
            ],
          },
        },
        topologySpreadConstraints: [{ labelSelector: { matchLabels: { app: 'shop' } } }],
        containers: [{ name: 'shop', image, env: [{ name: 'LABEL', value: 'shop' }] }],
      },
    },
    ...over,
  },
});

export const service = (name: string, selector: object, over: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, uid: `uid-${name}`, annotations: { 'cloud/address': 'reserved' } },
  spec: { selector, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...over },
});

const entryOf = (before: KubernetesObject | null, after: KubernetesObject): PlanEntry => ({
  step: `write ${after.kind}/${after.metadata.name}`,
  object: refOf(after),
  action: before === null ? 'create' : 'patch',
  before,
  after,
  body: null,
  replicas: 0,
  autoscaledBefore: false,
  autoscaledAfter: false,
});

interface Wanted {
  strategy?: CandidateFacts['strategy'];
  after?: KubernetesObject;
  routing?: KubernetesObject;
  live?: Partial<CandidateFacts['live']>;
  previewHeader?: CandidateFacts['previewHeader'];
}

export const factsOf = (wanted: Wanted = {}): CandidateFacts => {
  const { strategy, after, routing, live = {}, previewHeader } = wanted;
  const stable = workload('shop:1');
  const changed = entryOf(stable, after ?? workload('shop:2'));
  const shop = routing ?? service('shop', { app: 'shop' });
  return {
    strategy: strategy ?? { type: 'blue-green', steps: [], retainMs: 0 },
    suffix,
    previewHeader,
    changed,
    entries: [entryOf(shop, shop), changed],
    live: {
      stable,
      services: [shop],
      budgets: [],
      workloads: [stable],
      autoscalers: [],
      policies: [],
      route: undefined,
      routes: [],
      ...live,
    },
  };
};

export const draftOf = (wanted?: Wanted) => {
  const drafted = draftCandidate(factsOf(wanted));
  if (drafted.act !== 'beside') throw new Error(`no draft: ${JSON.stringify(drafted)}`);
  return drafted.draft;
};

export const problemsOf = (wanted: Wanted): string => {
  const drafted: Drafted = draftCandidate(factsOf(wanted));
  return drafted.act === 'refuse'
    ? drafted.problems.map(({ subject, message }) => `${subject} ${message}`).join('\n')
    : drafted.act;
};
