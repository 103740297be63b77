import { z } from 'zod';
import { Duration } from '../shared/duration.ts';
import { messageLimits } from '../messages.ts';
import { ReleaseName } from '../shared/names.ts';
import {
  endTogether,
  GrantSchema,
  hasOneHolder,
  longestGrantMs,
  mostGrants,
  NotifySchema,
  oneHolder,
  RemovedGrant,
} from './manage-access.ts';

const Given = GrantSchema.extend({
  for: Duration.refine((forMs) => forMs >= 1 && forMs <= longestGrantMs, {
    message: 'must be more than nothing, and 366d at the most',
  })
    .optional()
    .describe('It ends by itself after this, e.g. `8h`; until it is taken away if absent.'),
})
  .refine(hasOneHolder, oneHolder)
  .describe('A role that is given.');

/** The file that `holdfast access change -f` names. */
export const AccessChangeFile = z
  .strictObject({
    change: ReleaseName.describe('Name of the change, unique, e.g. the number of the ticket.'),
    give: z.array(Given).max(mostGrants).default([]).describe('Roles to give.'),
    remove: z.array(RemovedGrant).max(mostGrants).default([]).describe('Roles to take away.'),
    notify: NotifySchema,
    reason: z
      .string()
      .min(1)
      .max(messageLimits.reasonChars)
      .optional()
      .describe('Why, in one sentence; kept as evidence. `--reason` takes its place.'),
  })
  .refine(({ give, remove }) => give.length + remove.length > 0, {
    path: ['give'],
    message: 'needs something to give or to remove',
  })
  .refine(({ give }) => new Set(give.map((grant) => grant.for)).size <= 1, endTogether)
  .describe('A change of who has which roles.');

export type AccessChangeFile = z.output<typeof AccessChangeFile>;
