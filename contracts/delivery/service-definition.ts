import { z } from 'zod';
import { Duration, WatchDuration } from '../shared/duration.ts';
import { QueuePolicyInput } from './queue-policy.ts';
import { AlertsFile } from './alerts.ts';
import { AnalysisFile } from './analysis.ts';
import { BudgetFile } from './exposure-budget.ts';
import { CheckFile } from './release-check.ts';
import { DrainFile } from './drain.ts';
import { HttpUrl } from '../shared/http-url.ts';
import { PreviewHeader } from './preview-header.ts';
import { RolloutStrategyFile } from './rollout-strategy.ts';
import { CommitSha, EnvironmentName, ReleaseName, ServiceName } from '../shared/names.ts';

const failIfPattern = /^probe\.failureRatio > (0(?:\.\d+)?|1(?:\.0+)?)$/;

const FailIf = z
  .string()
  .regex(failIfPattern, 'must be `probe.failureRatio > NUMBER`, the number between 0 and 1')
  .transform((text) => Number(failIfPattern.exec(text)?.[1]))
  .describe('Threshold that puts the release back.');

const Bake = z.strictObject({
  for: WatchDuration,
  path: z.string().startsWith('/').default('/'),
  failIf: FailIf,
  requestsPerSecond: z.number().int().min(1).max(500).optional(),
  minSamples: z.number().int().min(1).optional(),
});

/** The file `holdfast.yaml`: how a service is released. */
export const ServiceDefinition = z
  .strictObject({
    service: ServiceName,
    environment: EnvironmentName,
    release: ReleaseName.optional().describe('Default: derived from the content of the manifests.'),
    manifests: z
      .array(z.string().min(1))
      .min(1)
      .describe('Files or directories of manifests, relative to this file; `-` is standard input.'),
    strategy: RolloutStrategyFile,
    queue: QueuePolicyInput,
    deadline: Duration.default(600_000),
    stable: Duration.optional().describe('Pods must stay ready this long.'),
    smoke: z.array(CheckFile).max(20).default([]),
    bake: Bake.optional(),
    verification: z
      .array(CheckFile)
      .max(20)
      .optional()
      .describe('Checks after the bake, under full traffic.'),
    analysis: AnalysisFile.optional(),
    alerts: AlertsFile.optional(),
    budget: BudgetFile.optional(),
    versionHeader: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,100}$/)
      .optional()
      .describe('Response header that names the version, e.g. `X-Version`.'),
    previewHeader: PreviewHeader.optional(),
    commit: z
      .strictObject({
        sha: CommitSha,
        committedAt: z.iso
          .datetime({ offset: true })
          .transform((text) => Date.parse(text))
          .describe('When it was committed, e.g. `2026-11-21T10:00:00Z`.'),
      })
      .optional()
      .describe('The commit that is released; with it the lead time is measured.'),
    drain: DrainFile.optional(),
    approvals: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(100),
          expiresAfter: Duration.optional(),
          quorum: z.number().int().min(1).max(10).optional(),
          groups: z.array(z.string().min(1).max(200)).min(1).max(20).optional(),
        }),
      )
      .max(1)
      .default([]),
    onFailure: z.enum(['unwind', 'hold']).default('unwind'),
    compensationDeadline: Duration.optional(),
    notify: z
      .array(
        z.union([z.strictObject({ webhook: HttpUrl }), z.strictObject({ log: z.literal(true) })]),
      )
      .max(10)
      .default([]),
  })
  .describe('How a service is released.');

export type ServiceDefinition = z.output<typeof ServiceDefinition>;
