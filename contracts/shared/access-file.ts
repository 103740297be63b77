import { z } from 'zod';
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
      'Name of a role; the default policies know releaser, operator, approver, admin.',
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
