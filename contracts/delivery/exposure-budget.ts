import { z } from 'zod';
import { Duration } from '../shared/duration.ts';

const Limit = z.number().int().min(0).max(1_000_000_000);

const CountQuery = z
  .string()
  .min(1)
  .max(2_000)
  .describe(
    'PromQL that counts requests of the new version. Besides the names of an analysis, `$window` is the time since it got its first traffic, as in `increase(…[$window])`. Where there may be no series yet, end with `or vector(0)`.',
  );

const limits = {
  maxExposedRequests: Limit.optional().describe(
    'Requests that the new version may serve before it is verified.',
  ),
  maxBadRequests: Limit.optional().describe(
    'Requests of the new version that may fail before it is verified.',
  ),
  exposedRequests: CountQuery.optional().describe(
    'PromQL that counts requests served by the new version; without it those of the prober count.',
  ),
  badRequests: CountQuery.optional().describe(
    'PromQL that counts failed requests of the new version; without it those of the prober count.',
  ),
};

const requestsPerSecond = z
  .number()
  .min(0)
  .max(10_000_000)
  .optional()
  .describe(
    'Requests that all versions together get, for a warning in the plan; without it the prober’s own.',
  );

interface Limits {
  maxExposedRequests?: unknown;
  maxBadRequests?: unknown;
  exposedRequests?: unknown;
  badRequests?: unknown;
}

const hasLimit = ({ maxExposedRequests, maxBadRequests }: Limits): boolean =>
  maxExposedRequests !== undefined || maxBadRequests !== undefined;

const needsLimit = {
  message: 'a budget needs maxExposedRequests or maxBadRequests',
  path: ['maxExposedRequests'],
};

const queriesHaveLimits = (budget: Limits): boolean =>
  (budget.exposedRequests === undefined || budget.maxExposedRequests !== undefined) &&
  (budget.badRequests === undefined || budget.maxBadRequests !== undefined);

const needsItsLimit = {
  message: 'a query needs the limit that it is held against',
  path: ['exposedRequests'],
};

const description =
  'How many requests may meet the new version before it is verified; watched all the time that it has traffic. More than that puts the release back at once.';

/** A blast radius in requests, as the workflow gets it. */
export const BudgetInput = z
  .strictObject({
    ...limits,
    requestsPerSecond,
    unreadableForMs: z
      .number()
      .int()
      .min(1_000)
      .max(3_600_000)
      .default(60_000)
      .describe('Counts that cannot be read for longer stop the release and ask an operator.'),
  })
  .refine(hasLimit, needsLimit)
  .refine(queriesHaveLimits, needsItsLimit)
  .describe(description);

export type BudgetInput = z.output<typeof BudgetInput>;

/** The same as people write it in `holdfast.yaml`. */
export const BudgetFile = z
  .strictObject({ ...limits, requestsPerSecond, unreadableFor: Duration.optional() })
  .refine(hasLimit, needsLimit)
  .refine(queriesHaveLimits, needsItsLimit)
  .transform(({ unreadableFor, ...budget }) => ({
    ...budget,
    ...(unreadableFor === undefined ? {} : { unreadableForMs: unreadableFor }),
  }))
  .describe(description);
