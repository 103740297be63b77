import {
  keyProblem,
  type AccessKeyEntry,
  type AccessKeys,
  type KeyUse,
} from '../../domain/security/access-key.ts';
import { activeRoleGrants, type AccessGrants } from '../../domain/security/access-grant.ts';
import {
  describeRefusal,
  freezeAt,
  rolesOf,
  type PermissionDecision,
  type PermissionQuestion,
  type Person,
  type RoleGrant,
} from '../../domain/security/permission.ts';
import { codedFailure } from '../coded-failure.ts';
import { adviceFor, mostNamed } from './access-advice.ts';
import type { AccessSettings } from './access-settings.ts';
import type { OidcTokens } from './oidc-tokens.ts';

/** Who someone is and what they may do, by the access configuration. */
export interface AccessGate {
  /** @throws IDENTITY_UNPROVEN */
  holderOfKey(entry: AccessKeyEntry | undefined, use: KeyUse & { id: string }): Promise<Person>;
  /** @throws IDENTITY_UNPROVEN */
  holderOfToken(token: string, atMs: number): Promise<Person>;
  /**
   * The decision where it is yes.
   * @throws PERMISSION_DENIED; STORE_UNREACHABLE where roles that were given
   * cannot be read: nobody is let in then
   */
  permit(person: Person, question: PermissionQuestion, atMs: number): Promise<PermissionDecision>;
  /** Everyone of the directory who may. */
  whoMay(question: PermissionQuestion, atMs: number): Promise<string[]>;
  /** Someone of the directory. @throws IDENTITY_UNPROVEN */
  personNamed(name: string): Promise<Person>;
  keys(): Promise<AccessKeys>;
  settings(): Promise<AccessSettings>;
  /** The roles of access.yaml and those that were given and hold at this time. */
  roleGrants(atMs: number): Promise<RoleGrant[]>;
  /** Where roles are given. @throws CONFIGURATION_INVALID where access.yaml manages none, or without a database */
  grants(): Promise<AccessGrants>;
  /** False where roles are given and this side cannot read them: then its no is not the last word. */
  knowsAllGrants(): Promise<boolean>;
}

export interface AccessGateDeps {
  settings: () => Promise<AccessSettings>;
  keysOf: (settings: AccessSettings) => AccessKeys;
  tokens: OidcTokens;
  /** Roles that were given; they count where access.yaml has a section `managed`. */
  grants?: AccessGrants | undefined;
  /**
   * Whether a refusal names who may. Where people are helped it does; where anybody may ask it does
   * not: it would tell strangers whom to trick, and cost as many decisions as there are people.
   */
  namesWhoMay?: boolean | undefined;
}

export const createAccessGate = ({
  settings,
  keysOf,
  tokens,
  grants,
  namesWhoMay = true,
}: AccessGateDeps): AccessGate => {
  /** By what one question is decided: read once for it, however many people it is asked for. */
  const rulesAt = async (atMs: number): Promise<AccessSettings> => {
    const current = await settings();
    if (current.managed === undefined || grants === undefined) return current;
    const given = activeRoleGrants(await grants.current(), atMs);
    return { ...current, grants: [...current.grants, ...given] };
  };
  return {
    ...peopleBy({ settings, tokens }),
    settings,
    keys: async () => keysOf(await settings()),
    roleGrants: async (atMs) => [...(await rulesAt(atMs)).grants],
    grants: async () => {
      if (grants === undefined || (await settings()).managed === undefined) throw unmanaged();
      return grants;
    },
    knowsAllGrants: async () => grants !== undefined || (await settings()).managed === undefined,
    async permit(person, question, atMs) {
      const rules = await rulesAt(atMs);
      const decision = decideBy(rules, { person, question, atMs });
      if (decision.isAllowed) return decision;
      throw codedFailure({
        code: 'PERMISSION_DENIED',
        message: `${describeRefusal(person, question, decision)}${frozen(rules, question, atMs)} Nothing was changed.`,
        next: adviceFor(namesWhoMay ? firstWhoMay(rules, question, atMs) : undefined, question),
        subject: question.action,
      });
    },
    whoMay: async (question, atMs) => [...peopleWhoMay(await rulesAt(atMs), question, atMs)],
  };
};

/** Who someone is, by what they show. */
const peopleBy = ({
  settings,
  tokens,
}: Pick<AccessGateDeps, 'settings' | 'tokens'>): Pick<
  AccessGate,
  'personNamed' | 'holderOfKey' | 'holderOfToken'
> => {
  const personNamed = async (name: string): Promise<Person> => {
    const user = (await settings()).users.get(name);
    if (user === undefined) throw unproven(`${name} is not in the directory`);
    if (user.isDisabled) throw unproven(`${name} is disabled in the directory`);
    return user;
  };
  return {
    personNamed,
    async holderOfKey(entry, { id, ...use }) {
      if (entry === undefined) throw unproven(`the access key ${id} is not known`);
      const problem = keyProblem(entry, use);
      if (problem !== undefined) throw unproven(problem);
      return personNamed(entry.holder);
    },
    async holderOfToken(token, atMs) {
      const { issuers, users } = await settings();
      const { name, groups } = await tokens.verify(token, { issuers, atMs });
      const user = users.get(name);
      // The issuer knows its users; the directory need not, but what it says of them counts.
      if (user?.isDisabled === true) throw unproven(`${name} is disabled in the directory`);
      const all = [...new Set([...groups, ...(user?.groups ?? [])])];
      return { name, kind: user?.kind ?? 'person', groups: all };
    },
  };
};

/** Why a release may not go there now, where that is so. */
const frozen = (
  { freezes }: AccessSettings,
  { environment, access }: PermissionQuestion,
  atMs: number,
): string => {
  const freeze = access === undefined ? freezeAt(freezes, environment, atMs) : undefined;
  return freeze === undefined ? '' : ` ${environment} is frozen: ${freeze.reason}.`;
};

interface Asked {
  person: Person;
  question: PermissionQuestion;
  atMs: number;
}

const decideBy = (
  { grants, freezes, policies }: AccessSettings,
  { person, question, atMs }: Asked,
): PermissionDecision =>
  policies.decide(person, question, {
    roles: rolesOf(grants, person, question.environment),
    freeze: freezeAt(freezes, question.environment, atMs),
  });

function* peopleWhoMay(
  settings: AccessSettings,
  question: PermissionQuestion,
  atMs: number,
): Generator<string> {
  for (const person of settings.users.values()) {
    if (!person.isDisabled && decideBy(settings, { person, question, atMs }).isAllowed) {
      yield person.name;
    }
  }
}

/** One more than are named, so that it is known whether there are others; not the whole directory. */
const firstWhoMay = (...asked: Parameters<typeof peopleWhoMay>): string[] => {
  const found: string[] = [];
  for (const name of peopleWhoMay(...asked)) {
    found.push(name);
    if (found.length > mostNamed) break;
  }
  return found;
};

const unproven = (reason: string): Error =>
  codedFailure({
    code: 'IDENTITY_UNPROVEN',
    message: `Who asks is not proven: ${reason}. Nothing was changed.`,
  });

const unmanaged = (): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: 'Access is not managed here: roles are those of access.yaml. Nothing was changed.',
    next: 'Write a section `managed` into access.yaml, and set DATABASE_URL for the workers.',
    subject: 'managed',
  });
