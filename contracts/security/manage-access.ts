import { z } from 'zod';
import { defineContract } from '../shared/define-contract.ts';
import { HttpUrl } from '../shared/http-url.ts';
import { MessageSchema } from '../shared/message.ts';
import { EnvironmentName, ReleaseName } from '../shared/names.ts';

const Name = z.string().min(1).max(200);
/** Nothing is given for longer, unless it stays. */
export const longestGrantMs = 366 * 86_400_000;

export const GrantSchema = z.strictObject({
  role: Name.describe('Role of the policies, e.g. `operator`.'),
  user: Name.optional().describe('User of the directory; either this or `group`.'),
  group: Name.optional().describe('Group of the directory or of tokens.'),
  environments: z
    .array(EnvironmentName)
    .min(1)
    .max(20)
    .optional()
    .describe('Environments that it holds in; all if absent.'),
});

export const hasOneHolder = ({ user, group }: { user?: unknown; group?: unknown }): boolean =>
  (user === undefined) !== (group === undefined);
export const oneHolder = {
  path: ['user'],
  message: 'either user or group has to be named, not both',
};

export const RemovedGrant = GrantSchema.refine(hasOneHolder, oneHolder).describe(
  'A role that is taken away.',
);

const Given = GrantSchema.extend({
  forMs: z
    .number()
    .int()
    .min(1)
    .max(longestGrantMs)
    .optional()
    .describe('It ends by itself after this; until it is taken away if absent.'),
})
  .refine(hasOneHolder, oneHolder)
  .describe('A role that is given.');

/** One run waits for one end. */
export const endTogether = {
  path: ['give'],
  message: 'all of it has to end at the same time; ask for what ends otherwise in another change',
};

export const mostGrants = 50;

export const NotifySchema = z
  .array(z.union([z.strictObject({ webhook: HttpUrl }), z.strictObject({ log: z.literal(true) })]))
  .max(10)
  .default([])
  .describe('Who is told of what happens to it.');

export const ManageAccessInput = z
  .strictObject({
    change: ReleaseName.describe('Name of the change, unique, e.g. the number of the ticket.'),
    give: z.array(Given).max(mostGrants).default([]).describe('Roles to give.'),
    remove: z.array(RemovedGrant).max(mostGrants).default([]).describe('Roles to take away.'),
    breakGlass: z
      .boolean()
      .default(false)
      .describe('Taken at once in an emergency, ended by itself, and reviewed by somebody else.'),
    certify: z
      .boolean()
      .default(false)
      .describe('Nothing changes: somebody confirms that all that is given is still right.'),
    notify: NotifySchema,
    requestedBy: MessageSchema.describe('Who asks for the change, and why.'),
  })
  .refine(({ give, remove, certify }) => certify !== give.length + remove.length > 0, {
    path: ['give'],
    message: 'needs something to give or to remove; a certification has neither',
  })
  .refine(
    ({ breakGlass, give, remove }) => !breakGlass || (give.length > 0 && remove.length === 0),
    {
      path: ['breakGlass'],
      message: 'gives roles and removes none',
    },
  )
  .refine(({ give }) => new Set(give.map(({ forMs }) => forMs)).size <= 1, endTogether)
  .describe('A change of who has which roles.');

const RolesOfSchema = z
  .strictObject({ person: z.string(), roles: z.array(z.string()) })
  .describe('Roles of one person, in words, with the group that brings them.');

const TargetStateSchema = z
  .strictObject({
    target: z.string(),
    state: z.enum(['pending', 'taken', 'failed']),
    note: z.string(),
  })
  .describe('Whether a target has what the roles say; `taken` was read back.');

export const ManageAccessResult = z
  .strictObject({
    outcome: z
      .enum(['changed', 'unchanged', 'put-back', 'partial', 'certified', 'not-certified'])
      .describe(
        '`partial`: an operator left out a target, which the targets name; `put-back`: everything is as before.',
      ),
    change: z.string(),
    planDigest: z.string(),
    given: z.array(z.string()),
    removed: z.array(z.string()),
    before: z.array(RolesOfSchema),
    after: z.array(RolesOfSchema),
    targets: z.array(TargetStateSchema),
    failure: z
      .strictObject({
        code: z.string(),
        message: z.string(),
        next: z.string().optional(),
        subject: z.string().optional(),
      })
      .optional()
      .describe('Why everything was put back.'),
    review: z
      .strictObject({ by: z.string(), inOrder: z.boolean(), wasLate: z.boolean() })
      .optional()
      .describe('Of roles that were taken by breaking glass.'),
    evidence: z.strictObject({
      identities: z.array(
        z.strictObject({
          action: z.string(),
          actor: z.string(),
          verification: z.string(),
          reason: z.string(),
          decidedBy: z.array(z.string()).optional().describe('Policies that allowed it.'),
        }),
      ),
    }),
  })
  .describe('What changed, and whether every target has it.');

/** Answer of the query `progress`. */
export const ManageAccessProgress = z
  .strictObject({
    schemaVersion: z.literal(1),
    change: z.string(),
    status: z.enum(['running', 'waiting', 'needs-operator', 'finished']),
    stages: z.array(
      z.strictObject({
        name: z.string(),
        status: z.enum(['pending', 'running', 'done', 'failed', 'skipped', 'not-measured']),
        note: z.string(),
        startedAtMs: z.number().optional(),
        endedAtMs: z.number().optional(),
      }),
    ),
    waitingFor: z
      .strictObject({
        what: z.string(),
        verbs: z.array(z.string()),
        deadlineAtMs: z.number().optional(),
        planDigest: z.string().optional(),
      })
      .optional(),
    planDigest: z.string().optional(),
    before: z.array(RolesOfSchema),
    after: z.array(RolesOfSchema),
    targets: z.array(TargetStateSchema),
    endsAtMs: z.number().optional().describe('When what was given ends by itself.'),
    outcome: z.string().optional(),
  })
  .describe('Where a change of access is and what it waits for.');

export type ManageAccessInput = z.output<typeof ManageAccessInput>;
export type ManageAccessResult = z.output<typeof ManageAccessResult>;
export type ManageAccessProgress = z.output<typeof ManageAccessProgress>;

export const manageAccess = defineContract({
  id: 'GOV-01',
  requirement: '004 UC-19',
  domain: 'security',
  workflow: 'manageAccess',
  pool: 'orchestration',
  summary:
    'Change who may do what: checked, approved where it is sensitive, and read back everywhere.',
  workflowId: (input) => `access:${input.change}`,
  searchAttributes: ['stage', 'outcome', 'needsOperator'],
  input: ManageAccessInput,
  result: ManageAccessResult,
  messages: ['approve', 'reject', 'retryStep', 'skip', 'abort'],
  steering: 'changeAccess',
  command: 'access',
  example: {
    change: 'ops-4711',
    give: [
      { role: 'operator', user: 'ana@example.com', environments: ['prod'], forMs: 28_800_000 },
    ],
    remove: [{ role: 'releaser', user: 'ana@example.com', environments: ['prod'] }],
    requestedBy: { actor: 'adam@example.com', reason: 'Ana is on call this week' },
  },
});
