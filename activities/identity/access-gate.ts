import {
  keyProblem,
  type AccessKeyEntry,
  type AccessKeys,
  type KeyUse,
} from '../../domain/security/access-key.ts';
import {
  describeRefusal,
  freezeAt,
  rolesOf,
  type PermissionDecision,
  type PermissionQuestion,
  type Person,
} from '../../domain/security/permission.ts';
import { codedFailure } from '../coded-failure.ts';
import type { AccessSettings } from './access-settings.ts';
import type { OidcTokens } from './oidc-tokens.ts';

/** Who someone is and what they may do, by the access configuration. */
export interface AccessGate {
  /** @throws IDENTITY_UNPROVEN */
  holderOfKey(entry: AccessKeyEntry | undefined, use: KeyUse & { id: string }): Promise<Person>;
  /** @throws IDENTITY_UNPROVEN */
  holderOfToken(token: string, atMs: number): Promise<Person>;
  /** The decision where it is yes. @throws PERMISSION_DENIED, which names who may */
  permit(person: Person, question: PermissionQuestion, atMs: number): Promise<PermissionDecision>;
  /** Everyone of the directory who may. */
  whoMay(question: PermissionQuestion, atMs: number): Promise<string[]>;
  /** Someone of the directory. @throws IDENTITY_UNPROVEN */
  personNamed(name: string): Promise<Person>;
  keys(): Promise<AccessKeys>;
  settings(): Promise<AccessSettings>;
}

export interface AccessGateDeps {
  settings: () => Promise<AccessSettings>;
  keysOf: (settings: AccessSettings) => AccessKeys;
  tokens: OidcTokens;
}

export const createAccessGate = ({ settings, keysOf, tokens }: AccessGateDeps): AccessGate => {
  const personNamed = async (name: string): Promise<Person> => {
    const user = (await settings()).users.get(name);
    if (user === undefined) throw unproven(`${name} is not in the directory`);
    if (user.isDisabled) throw unproven(`${name} is disabled in the directory`);
    return user;
  };
  return {
    settings,
    personNamed,
    keys: async () => keysOf(await settings()),
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
    async permit(person, question, atMs) {
      const current = await settings();
      const decision = decideBy(current, { person, question, atMs });
      if (decision.isAllowed) return decision;
      const freeze = freezeAt(current.freezes, question.environment, atMs);
      const frozen =
        freeze === undefined ? '' : ` ${question.environment} is frozen: ${freeze.reason}.`;
      throw codedFailure({
        code: 'PERMISSION_DENIED',
        message: `${describeRefusal(person, question, decision)}${frozen} Nothing was changed.`,
        next: adviceFor(firstWhoMay(current, question, atMs), question),
        subject: question.action,
      });
    },
    whoMay: async (question, atMs) => [...peopleWhoMay(await settings(), question, atMs)],
  };
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

const mostNamed = 3;

/** One more than are named, so that it is known whether there are others; not the whole directory. */
const firstWhoMay = (...asked: Parameters<typeof peopleWhoMay>): string[] => {
  const found: string[] = [];
  for (const name of peopleWhoMay(...asked)) {
    found.push(name);
    if (found.length > mostNamed) break;
  }
  return found;
};

const adviceFor = (
  people: readonly string[],
  { action, environment, service }: PermissionQuestion,
): string => {
  const check = `\`holdfast access check ${action} -e ${environment} --service ${service}\``;
  if (people.length === 0) return `Nobody of the directory may; ${check} asks again.`;
  const named = people.slice(0, mostNamed).join(', ');
  const more = people.length > mostNamed ? ' or others' : '';
  return `Ask ${named}${more}, who may; ${check} tells why.`;
};

const unproven = (reason: string): Error =>
  codedFailure({
    code: 'IDENTITY_UNPROVEN',
    message: `Who asks is not proven: ${reason}. Nothing was changed.`,
  });
