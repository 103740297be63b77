/** What a release leaves behind: what it undid, measured and proved. */
import { z } from 'zod';

export const CodedErrorSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  next: z.string().optional(),
  subject: z.string().optional(),
});

export const CompensationSchema = z.strictObject({
  step: z.string(),
  outcome: z.enum(['undone', 'nothing-to-undo', 'foreign-change-preserved', 'failed', 'skipped']),
  note: z.string(),
  error: CodedErrorSchema.optional(),
});

export const ProofSchema = z.strictObject({
  direction: z.enum(['forward', 'back']),
  rows: z.array(
    z.strictObject({
      object: z.strictObject({ apiVersion: z.string(), kind: z.string(), name: z.string() }),
      hashBefore: z.string(),
      hashAfter: z.string(),
      verdict: z.enum([
        'exact',
        'foreign-change-preserved',
        'differs',
        'leftover',
        'missing',
        'recreated',
        'replica-set-replaced',
      ]),
      fields: z.array(z.string()),
    }),
  ),
  ignored: z.array(z.strictObject({ path: z.string(), reason: z.string() })),
});

export const GateSchema = z.strictObject({
  name: z
    .string()
    .describe('`smoke`, `bake`, `preview`, `verification`, a check of one, or a stop.'),
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'no-data', 'not-measured', 'skipped']),
  note: z.string(),
  samples: z.number().int(),
  failures: z.number().int(),
  decidedBy: z.array(z.string()).optional().describe('Metrics that decided, where metrics did.'),
});

export const TrafficSampleSchema = z
  .strictObject({
    atMs: z.number(),
    gate: z.string(),
    weightPercent: z.number().optional(),
    versions: z.array(
      z.strictObject({
        version: z.string().describe('Empty where versions are not told apart.'),
        samples: z.number().int(),
        failures: z.number().int(),
        latencyP50Ms: z.number().nullable(),
        latencyP99Ms: z.number().nullable(),
      }),
    ),
  })
  .describe('What one window of requests counted.');

export const GivenShareSchema = z
  .strictObject({
    atMs: z.number(),
    weightPercent: z.number().describe('Share that was wanted.'),
    achievedPercent: z.number().describe('Share that the numbers of pods made.'),
    candidatePods: z.number().int(),
    stablePods: z.number().int(),
    measuredPercent: z.number().optional().describe('Absent where nothing could be measured.'),
  })
  .describe('A share of the traffic that the numbers of pods made.');
export const CheckEvidenceSchema = z
  .strictObject({
    gate: z.string(),
    check: z.string(),
    answer: z.string().describe('The end of what it said.'),
    outputDigest: z.string().optional().describe('What it wrote, in the blob store.'),
  })
  .describe('What a command or a Job said.');
