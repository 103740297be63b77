import { DeployServiceInput } from '../../../contracts/delivery/deploy-service.ts';
import type {
  DeployServiceProgress,
  DeployServiceResult,
} from '../../../contracts/delivery/deploy-service.ts';
import type { ReleaseFacts, Stage } from '../../../client/cli/explain/release-facts.ts';
import type { ServiceLockState } from '../../../contracts/delivery/service-lock.ts';

/** 03:10:00 at night. */
export const nowMs = Date.UTC(2026, 10, 22, 3, 10, 0);
const minuteMs = 60_000;

export const ago = (minutes: number): number => nowMs - minutes * minuteMs;

export const stage = (
  name: string,
  status: Stage['status'],
  changes: Partial<Stage> = {},
): Stage => ({
  name,
  status,
  note: '',
  ...changes,
});

/** The stage table of a canary up to the named stage, which runs. */
export const canaryStages = (running: string, changes: Partial<Stage> = {}): Stage[] => {
  const names = ['validate', 'lock', 'plan', 'approval', 'pre-image', 'create Deployment/shop-2']
    .concat(['preview', 'shift to 10 %', 'watch at 10 %', 'shift to 50 %', 'watch at 50 %'])
    .concat(['shift to 100 %', 'smoke', 'bake', 'patch Deployment/shop', 'return the traffic'])
    .concat(['prove', 'finalise']);
  const at = names.indexOf(running);
  return names.map((name, index) => {
    if (index < at) return stage(name, 'done', { note: notes[name] ?? '' });
    const start = { startedAtMs: ago(4), ...changes };
    return index === at ? stage(name, 'running', start) : stage(name, 'pending');
  });
};

/** The same after an operator set 50 % in the watch: what nobody planned is added at the end. */
export const heldStages = (): Stage[] => [
  ...canaryStages('watch at 10 %').map((one): Stage => {
    if (one.name === 'watch at 10 %') return { ...one, status: 'skipped' };
    return one.name === 'shift to 50 %' ? { ...one, status: 'done' } : one;
  }),
  stage('held by an operator', 'running', { startedAtMs: ago(1) }),
];

const notes: Record<string, string> = { lock: 'epoch 3', plan: '3 of 4 objects change' };

export const input = DeployServiceInput.parse({
  service: 'shop',
  environment: 'production',
  release: '2.4.1',
  manifestsDigest: `sha256:${'0'.repeat(64)}`,
  strategy: {
    type: 'canary',
    route: 'shop',
    steps: [
      { weightPercent: 10, forMs: 10 * minuteMs },
      { weightPercent: 50, forMs: 10 * minuteMs },
    ],
  },
  smoke: [{ path: '/healthz' }],
  bake: { forMs: 30_000, maxFailureRatio: 0.01, minSamples: 50 },
  approvals: [{ name: 'release-manager' }],
  requestedBy: { actor: 'ana@example.com', reason: 'summer catalogue' },
});

export const progress = (changes: Partial<DeployServiceProgress> = {}): DeployServiceProgress => ({
  schemaVersion: 1,
  service: 'shop',
  environment: 'production',
  release: '2.4.1',
  status: 'running',
  stages: canaryStages('watch at 10 %'),
  compensations: [],
  gates: [],
  ...changes,
});

const object = (kind: string, name: string) => ({ apiVersion: 'v1', kind, name });

export const plan: NonNullable<ReleaseFacts['plan']> = {
  planDigest: `sha256:${'a'.repeat(64)}`,
  changes: [
    {
      step: 'create Deployment/shop-2',
      object: object('Deployment', 'shop-2'),
      action: 'create',
      fields: [],
    },
    {
      step: 'patch Deployment/shop',
      object: object('Deployment', 'shop'),
      action: 'patch',
      fields: [],
    },
    { step: 'keep Service/shop', object: object('Service', 'shop'), action: 'keep', fields: [] },
  ],
  warnings: ['the HPA counts pods of both versions'],
  images: [{ container: 'shop', image: 'registry/shop@sha256:12' }],
  candidate: {
    workload: object('Deployment', 'shop-2'),
    stable: object('Deployment', 'shop'),
    route: 'shop',
  },
};

export const asked = {
  action: 'deploy',
  actor: 'ana@example.com',
  verification: 'unverified',
  reason: 'summer catalogue',
};

export const facts = (changes: Partial<ReleaseFacts> = {}): ReleaseFacts => ({
  workflowId: 'deploy:production:shop:2.4.1',
  name: { service: 'shop', environment: 'production', release: '2.4.1' },
  nowMs,
  startedAtMs: ago(20),
  endedAtMs: null,
  executionStatus: 'RUNNING',
  progress: progress(),
  silence: null,
  lastStage: 'verify',
  input,
  plan,
  identities: [asked],
  lock: null,
  holderStage: null,
  pods: null,
  counts: null,
  retrying: [],
  result: null,
  refusal: null,
  ...changes,
});

const claim = (release: string) => ({
  requestId: release,
  workflowId: `deploy:production:shop:${release}`,
  runId: release,
  release,
});

export const lock = (changes: Partial<ServiceLockState> = {}): ServiceLockState => ({
  schemaVersion: 1,
  environment: 'production',
  service: 'shop',
  status: 'held',
  epoch: 5,
  holder: { ...claim('2.4.0'), epoch: 5 },
  queue: [{ ...claim('2.4.0-fix'), queue: 'hotfix' }, claim('2.4.1')],
  releases: [],
  unwoundReleases: [],
  unsweptReleases: [],
  settledRequestIds: [],
  timeoutProfile: 'standard',
  ...changes,
});

const hash = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** A canary that went well, watched at 10 % and 50 %. */
export const result: DeployServiceResult = {
  outcome: 'deployed',
  release: '2.4.1',
  epoch: 5,
  planDigest: plan.planDigest,
  compensations: [],
  gates: [
    { name: 'preview', verdict: 'pass', note: '1 of 1 passed', samples: 1, failures: 0 },
    {
      name: 'watch at 10 %',
      verdict: 'pass',
      note: '0 of 1200 requests failed, at most 1.00 % allowed',
      samples: 1_200,
      failures: 0,
    },
  ],
  proof: {
    direction: 'forward',
    rows: ['shop', 'shop-config'].map((name, index) => ({
      object: object(index === 0 ? 'Deployment' : 'ConfigMap', name),
      hashBefore: hash('1'),
      hashAfter: hash('2'),
      verdict: 'exact',
      fields: [],
    })),
    ignored: [{ path: '/metadata/resourceVersion', reason: 'counts every write' }],
  },
  evidence: { identities: [asked] },
};
