import { z } from 'zod';
import { Duration } from '../shared/duration.ts';

const longestMs = 900_000;
const usualMs = 30_000;

const openConnections = z
  .string()
  .min(1)
  .max(2_000)
  .optional()
  .describe(
    'PromQL of how many connections of `$workload`, a Deployment, are open. Without it the limit is waited for and nothing is measured. Do not end it with `or vector(0)`: a scrape that failed would read as none open.',
  );

const describe =
  'Before pods go that have no traffic any more, their open connections, such as WebSockets and streams, get this long to end.';

export const DrainInput = z
  .strictObject({
    withinMs: z.number().int().min(0).max(longestMs).default(usualMs),
    openConnections,
  })
  .describe(describe);

/** The same as people write it in `holdfast.yaml`. */
export const DrainFile = z
  .strictObject({ within: Duration.default(usualMs), openConnections })
  .transform(({ within: withinMs, ...rest }) => ({ withinMs, ...rest }))
  .describe(describe);

/** Evidence of a drain. */
export const DrainedSchema = z
  .strictObject({
    workload: z.string(),
    waitedMs: z.number(),
    connectionsCut: z
      .number()
      .int()
      .nullable()
      .describe('Open when the limit was reached; null where it was not measured.'),
  })
  .describe('How the connections of a Deployment ended before its pods went.');
