import { z } from 'zod';
import { defineContract } from '../shared/define-contract.ts';
import { unwatchedReason } from '../shared/duration.ts';
import { HttpUrl } from '../shared/http-url.ts';
import { MessageSchema } from '../shared/message.ts';
import { CommitSha, Digest, EnvironmentName, ReleaseName, ServiceName } from '../shared/names.ts';
import { QueuePolicyInput } from './queue-policy.ts';
import { AlertsInput } from './alerts.ts';
import { CheckInput } from './release-check.ts';
import {
  CheckEvidenceSchema,
  CodedErrorSchema,
  CompensationSchema,
  GateSchema,
  GivenShareSchema,
  ProofSchema,
  TrafficSampleSchema,
} from './release-evidence.ts';
import { AnalysisInput } from './analysis.ts';
import { BudgetInput } from './exposure-budget.ts';
import { DrainedSchema, DrainInput } from './drain.ts';
import { PreviewHeader } from './preview-header.ts';
import { RolloutStrategyInput } from './rollout-strategy.ts';

const Milliseconds = z
  .number()
  .int()
  .nonnegative()
  .max(30 * 86_400_000);

const BakeInput = z
  .strictObject({
    forMs: Milliseconds.min(1, unwatchedReason)
      .max(7_200_000)
      .describe('How long the new version is watched under traffic; at most two hours.'),
    path: z.string().startsWith('/').default('/').describe('Path that the prober requests.'),
    maxFailureRatio: z
      .number()
      .min(0)
      .max(1)
      .describe('Failed share of requests above which the release is put back.'),
    requestsPerSecond: z.number().int().min(1).max(500).default(50),
    minSamples: z
      .number()
      .int()
      .min(1)
      .default(20)
      .describe('Fewer samples than this are no data, and no data is never a pass.'),
  })
  .describe('Watching the new version before the release counts as good.');

const ApprovalInput = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(100)
      .describe('What the approval is called, e.g. `release-manager`.'),
    expiresAfterMs: Milliseconds.default(86_400_000).describe(
      'Unanswered after this, it is refused.',
    ),
    quorum: z
      .number()
      .int()
      .min(1)
      .max(10)
      .optional()
      .describe('Different people who have to approve; one if absent.'),
    groups: z
      .array(z.string().min(1).max(200))
      .min(1)
      .max(20)
      .optional()
      .describe('Only people of one of these groups count; needs an access configuration.'),
  })
  .describe('An approval of the plan before anything is written.');

const CommitInput = z
  .strictObject({
    sha: CommitSha,
    committedAtMs: z.number().int().nonnegative().describe('Time since 1970 of the commit.'),
  })
  .describe('The commit that is released; with it the lead time is measured.');

const NotifyTargetInput = z
  .union([z.strictObject({ webhook: HttpUrl }), z.strictObject({ log: z.literal(true) })])
  .describe('Where notifications go.');

export const DeployServiceInput = z
  .strictObject({
    service: ServiceName,
    environment: EnvironmentName,
    release: ReleaseName,
    manifestsDigest: Digest.describe('The manifest set, stored by the client; never sent in line.'),
    strategy: RolloutStrategyInput,
    queue: QueuePolicyInput,
    deadlineMs: Milliseconds.min(1_000)
      .default(600_000)
      .describe('The whole release, waiting for lock and approval left out, must end within this.'),
    smoke: z.array(CheckInput).max(20).default([]),
    bake: BakeInput.optional(),
    verification: z
      .array(CheckInput)
      .max(20)
      .optional()
      .describe('Checks after the bake, under full traffic; one that fails puts the release back.'),
    analysis: AnalysisInput.optional(),
    alerts: AlertsInput.optional(),
    budget: BudgetInput.optional(),
    versionHeader: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,100}$/)
      .optional()
      .describe(
        'Response header that names the version, e.g. `X-Version`. With it shares of traffic are measured and versions are judged apart.',
      ),
    previewHeader: PreviewHeader.optional(),
    commit: CommitInput.optional(),
    drain: DrainInput.optional(),
    approvals: z.array(ApprovalInput).max(1).default([]),
    notify: z.array(NotifyTargetInput).max(10).default([]),
    onFailure: z
      .enum(['unwind', 'hold'])
      .default('unwind')
      .describe('`hold` keeps the new version and asks an operator: retryStep, skip or abort.'),
    stableMs: Milliseconds.default(3_000).describe('Pods must stay ready this long.'),
    compensationDeadlineMs: Milliseconds.min(1_000)
      .default(600_000)
      .describe('Attempts to undo one step end after this; then an operator decides.'),
    adopt: z.boolean().default(false).describe('Take over objects of Helm, Argo CD or Flux.'),
    requestedBy: MessageSchema.describe('Who asked for the release, and why.'),
  })
  .describe('A release of one service to one environment.');

/**
 * How a release that touched something ended. A release that is refused before it
 * touches anything fails the workflow with a code instead.
 */
export const DeployServiceResult = z
  .strictObject({
    outcome: z
      .enum(['deployed', 'restored-exactly', 'restored-with-exceptions'])
      .describe('`restored-with-exceptions`: put back, but the proof lists what is not exact.'),
    release: z.string(),
    epoch: z.number().int(),
    planDigest: z.string(),
    failedStep: z.string().optional(),
    failure: CodedErrorSchema.optional(),
    compensations: z.array(CompensationSchema),
    gates: z.array(GateSchema),
    proof: ProofSchema,
    evidence: z.strictObject({
      preImageDigest: z.string().optional(),
      logsDigest: z.string().optional(),
      identities: z.array(
        z.strictObject({
          action: z.string(),
          actor: z.string(),
          verification: z.string(),
          reason: z.string(),
          decidedBy: z.array(z.string()).optional().describe('Policies that allowed it.'),
        }),
      ),
      samples: z.array(TrafficSampleSchema).optional(),
      shares: z.array(GivenShareSchema).optional(),
      checks: z.array(CheckEvidenceSchema).optional(),
      drains: z.array(DrainedSchema).optional(),
    }),
  })
  .describe('How the release ended, with the proof.');

const StageSchema = z.strictObject({
  name: z.string(),
  status: z.enum(['pending', 'running', 'done', 'failed', 'skipped', 'not-measured']),
  note: z.string(),
  startedAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
});

const RolloutProgressSchema = z
  .strictObject({
    strategy: z.enum(['blue-green', 'canary']),
    weightPercent: z.number().describe('Share of the traffic that the new version was given.'),
    achievedPercent: z
      .number()
      .optional()
      .describe('Share that the numbers of pods make; only where they do.'),
    measuredPercent: z
      .number()
      .optional()
      .describe('Share that was measured; absent where it is not measured.'),
    heldAtPercent: z
      .number()
      .optional()
      .describe('An operator set this weight; `promote` goes on.'),
  })
  .describe('How far the new version has taken over; only where it comes up beside the old one.');

/** Answer of the query `progress`. */
export const DeployServiceProgress = z
  .strictObject({
    schemaVersion: z.literal(1),
    service: z.string(),
    environment: z.string(),
    release: z.string(),
    status: z.enum(['running', 'paused', 'waiting', 'unwinding', 'needs-operator', 'finished']),
    stages: z.array(StageSchema),
    waitingFor: z
      .strictObject({
        what: z.string(),
        verbs: z.array(z.string()),
        deadlineAtMs: z.number().optional(),
        planDigest: z.string().optional(),
      })
      .optional(),
    epoch: z.number().optional(),
    planDigest: z.string().optional(),
    failedStep: z.string().optional(),
    failure: CodedErrorSchema.optional(),
    compensations: z.array(CompensationSchema),
    gates: z.array(GateSchema),
    rollout: RolloutProgressSchema.optional(),
    outcome: z.string().optional(),
  })
  .describe('Where a release is and what it waits for.');

export type DeployServiceInput = z.output<typeof DeployServiceInput>;
export type DeployServiceResult = z.output<typeof DeployServiceResult>;
export type DeployServiceProgress = z.output<typeof DeployServiceProgress>;

export const deployService = defineContract({
  id: 'DEL-04',
  requirement: '003-1',
  domain: 'delivery',
  workflow: 'deployService',
  pool: 'orchestration',
  summary: 'Release one service: everything new and proven, or everything exactly as before.',
  workflowId: (input) => `deploy:${input.environment}:${input.service}:${input.release}`,
  searchAttributes: ['service', 'environment', 'release', 'stage', 'outcome', 'needsOperator'],
  input: DeployServiceInput,
  result: DeployServiceResult,
  messages: [
    'approve',
    'reject',
    'pause',
    'resume',
    'skip',
    'abort',
    'retryStep',
    'retryCompensation',
    'setWeight',
    'promote',
    'promoteFull',
  ],
  example: {
    service: 'shop',
    environment: 'staging',
    release: '2.4.1',
    manifestsDigest: `sha256:${'0'.repeat(64)}`,
    smoke: [{ path: '/healthz', expectStatus: 200 }],
    bake: { forMs: 30_000, maxFailureRatio: 0.01 },
    requestedBy: { actor: 'ana@example.com', reason: 'Release of the summer catalogue' },
  },
});
