import { z } from 'zod';
import { Duration } from './duration.ts';
import { EnvironmentName } from './names.ts';

const Name = z.string().min(1).max(200);
const Environments = z
  .array(EnvironmentName)
  .min(1)
  .optional()
  .describe('Environments that this is for; all if absent.');

const User = z
  .strictObject({
    kind: z.enum(['person', 'service']).default('person').describe('`service`: not a person.'),
    groups: z.array(Name).default([]),
    disabled: z
      .boolean()
      .default(false)
      .describe('Has left: keys and tokens of this user are refused from now on.'),
  })
  .describe('A user; one who is not in the directory has no use of any key.');

/** The file that `directory` of access.yaml names. */
export const DirectoryFile = z
  .strictObject({ users: z.record(Name, User) })
  .describe('People and service accounts, by the name that evidence shows.');

/** No symmetric algorithm and not `none`: whoever can verify a token must not be able to make one. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

const Issuer = z
  .strictObject({
    issuer: z
      .url({ protocol: /^https?$/ })
      .describe('`iss` of the tokens, exactly; plain http only on loopback.'),
    audience: z.string().min(1).describe('`aud` that tokens for Holdfast carry.'),
    jwks: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Keys of the issuer; found by `/.well-known/openid-configuration` if absent.'),
    algorithms: z.array(z.enum(algorithms)).min(1).default(['RS256', 'ES256']),
    nameClaim: z.string().min(1).default('sub').describe('Claim with the name of the user.'),
    groupsClaim: z.string().min(1).default('groups').describe('Claim with a list of groups.'),
    clockSkewSeconds: z.number().int().min(0).max(300).default(30),
  })
  .refine(({ issuer, jwks }) => [issuer, jwks ?? issuer].every(isPrivateWay), {
    message: 'must be https, except on loopback: who can change what is read there can be anyone',
  })
  .describe('Whose OIDC access tokens are taken.');

const isPrivateWay = (address: string): boolean => {
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
};

const RoleGrant = z
  .strictObject({
    role: Name.describe(
      'Name of a role; the default policies know releaser, operator, approver, responder, admin.',
    ),
    users: z.array(Name).default([]),
    groups: z.array(Name).default([]),
    environments: Environments,
  })
  .refine(({ users, groups }) => users.length + groups.length > 0, 'needs users or groups')
  .describe('Gives a role to users and groups.');

const Freeze = z
  .strictObject({
    environment: EnvironmentName,
    from: z.iso.datetime({ offset: true }),
    until: z.iso.datetime({ offset: true }),
    reason: Name,
  })
  .refine(({ from, until }) => Date.parse(from) < Date.parse(until), {
    path: ['until'],
    message: 'must be later than from',
  })
  .describe(
    'No release starts there in this time; the default policies let operators start hotfixes.',
  );

const Names = z.array(Name).min(1);

const ManagedRole = z
  .strictObject({
    approval: z
      .strictObject({
        quorum: z.number().int().min(1).max(10).default(1),
        groups: Names.optional().describe('Only people of one of these groups count.'),
        within: Duration.default(86_400_000).describe('Unanswered after this, it is refused.'),
      })
      .optional()
      .describe('Who has to approve before somebody gets the role; nobody if absent.'),
    longest: Duration.optional().describe('It can be given for so long at the most.'),
  })
  .describe('How a role may be given by `holdfast access change`.');

const Separation = z
  .strictObject({ name: Name, roles: z.array(Name).min(2), environments: Environments })
  .describe('Roles that no one person may hold together in an environment.');

const BreakGlass = z
  .strictObject({
    roles: Names.describe('Roles that can be taken so.'),
    longest: Duration.default(14_400_000).describe('They end by themselves after this.'),
    reviewWithin: Duration.default(86_400_000).describe(
      'Then someone else has to have reviewed it.',
    ),
    groups: Names.optional().describe('Only people of one of these groups may review it.'),
  })
  .describe('Roles that responders take at once, without an approval before.');

const Certification = z
  .strictObject({
    within: Duration.default(1_209_600_000).describe('Unanswered after this, it is told.'),
    groups: Names.optional().describe('Only people of one of these groups may certify.'),
  })
  .describe('Who confirms that the roles people have are still right.');

/** `<namespace>:<role>`, as the claim mapper of the Temporal server reads it. */
const TemporalPermission = z
  .string()
  .regex(
    /^[A-Za-z0-9][-A-Za-z0-9_.]*:(read|write|worker|admin)$/,
    'must be <namespace>:<read, write, worker or admin>',
  );

const Target = z
  .strictObject({
    name: Name.describe('What reports call it.'),
    kubernetes: z
      .strictObject({
        environment: EnvironmentName.describe('Its namespace gets the RoleBindings.'),
        clusterRoles: z.record(Name, Name).describe('ClusterRole for each of our roles.'),
      })
      .optional(),
    postgres: z
      .strictObject({
        urlFile: z
          .string()
          .min(1)
          .describe(
            'File with the URL of a login that may grant the roles; relative to this file.',
          ),
        environment: EnvironmentName.optional(),
        roles: z
          .record(Name, Names)
          .describe('Database roles for each of our roles; logins have the names of users.'),
      })
      .optional(),
    temporal: z
      .strictObject({
        claimsFile: z
          .string()
          .min(1)
          .describe(
            'File with the permissions of each user, from which tokens are made; relative to this file.',
          ),
        environment: EnvironmentName.optional(),
        permissions: z
          .record(Name, z.array(TemporalPermission).min(1))
          .describe('Permissions for each of our roles.'),
      })
      .optional(),
  })
  .refine(
    ({ kubernetes, postgres, temporal }) =>
      [kubernetes, postgres, temporal].filter((kind) => kind !== undefined).length === 1,
    'needs one of kubernetes, postgres and temporal',
  )
  .describe('A place whose rights follow the roles.');

const Managed = z
  .strictObject({
    roles: z.record(Name, ManagedRole).describe('Roles that can be given and taken away.'),
    separations: z.array(Separation).default([]),
    breakGlass: BreakGlass.optional(),
    certification: Certification.prefault({}),
    targets: z.array(Target).default([]),
  })
  .refine(({ targets }) => new Set(targets.map(({ name }) => name)).size === targets.length, {
    path: ['targets'],
    message: 'two have the same name',
  })
  .describe('Roles that runs of `manageAccess` give, beside `roles`; needs a database.');

/** The file that `HOLDFAST_ACCESS` names: who may do what. */
export const AccessFile = z
  .strictObject({
    directory: z.string().min(1).describe('Users and their groups; relative to this file.'),
    keys: z
      .string()
      .min(1)
      .default('access-keys.json')
      .describe('Access keys where there is no database; relative to this file.'),
    issuers: z.array(Issuer).default([]),
    sealing: z
      .strictObject({
        publicKey: z
          .string()
          .regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes in base64url')
          .describe('X25519; callers seal access tokens for it.'),
        privateKeyFile: z.string().min(1).describe('Relative to this file; only workers have it.'),
      })
      .optional()
      .describe('How access tokens travel to the workers; needed for `issuers`.'),
    roles: z.array(RoleGrant).default([]),
    managed: Managed.optional(),
    freezes: z.array(Freeze).default([]),
    policies: z
      .array(z.string().min(1))
      .default([])
      .describe('Files with Cedar policies; relative to this file.'),
    defaultPolicies: z.boolean().default(true).describe('False: only the policies named above.'),
  })
  .refine(({ issuers, sealing }) => issuers.length === 0 || sealing !== undefined, {
    path: ['sealing'],
    message: 'is needed for issuers: `holdfast access sealing-key` makes one',
  })
  .describe('Who may do what. Workers and commands read it from HOLDFAST_ACCESS.');

export type AccessFile = z.output<typeof AccessFile>;
export type DirectoryFile = z.output<typeof DirectoryFile>;
