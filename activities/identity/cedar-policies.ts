import { createHash } from 'node:crypto';
import type * as CedarModule from '@cedar-policy/cedar-wasm/nodejs';
import { accessActions, accessSchema } from '../../contracts/access-actions.ts';
import type {
  AccessQuestion,
  PermissionQuestion,
  Person,
} from '../../domain/security/permission.ts';
import { codedFailure } from '../coded-failure.ts';
import type { Policies, Situation } from './port.ts';

type Cedar = typeof CedarModule;
type Request = Parameters<Cedar['statefulIsAuthorized']>[0];

export interface PolicyText {
  file: string;
  text: string;
}

const schemaName = 'holdfast';

/**
 * Policies by Cedar, parsed once: parsing for each decision takes thirty times as long as deciding.
 *
 * @throws CONFIGURATION_INVALID if a policy cannot be read, has no id of its own, or says something
 * that the schema does not know
 */
export const createCedarPolicies = async (texts: readonly PolicyText[]): Promise<Policies> => {
  // Loaded on demand: 4 MB that only a process with an access configuration needs.
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
  const named = texts.flatMap((text) => policiesIn(cedar, text));
  const ids = named.map(([id]) => id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  // The later one would silently take the place of the other, also of a forbid.
  if (twice.length > 0)
    throw invalid(
      'all policies',
      twice.map((id) => `${id} is there twice`),
    );
  const staticPolicies = Object.fromEntries(named);
  checkPolicies(cedar, staticPolicies);
  const digest = createHash('sha256').update(JSON.stringify(staticPolicies)).digest('hex');
  succeed(cedar.preparseSchema(schemaName, accessSchema()), 'the schema');
  succeed(cedar.preparsePolicySet(digest, { staticPolicies }), 'all policies');
  const known = new Set(accessActions.map(({ id }) => id));
  return {
    decide(person, question, situation) {
      // An action that the schema does not name is nobody's: no policy could be about it.
      if (!known.has(question.action)) return { isAllowed: false, decidedBy: [] };
      const answer = cedar.statefulIsAuthorized({
        ...requestOf(person, question, situation),
        preparsedPolicySetId: digest,
        preparsedSchemaName: schemaName,
        validateRequest: true,
      });
      if (answer.type === 'failure') throw undecided(answer.errors.map(({ message }) => message));
      const { decision, diagnostics } = answer.response;
      // A policy that fails is left out by Cedar; a forbid that is left out would let someone in.
      if (diagnostics.errors.length > 0) {
        throw undecided(
          diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`),
        );
      }
      return { isAllowed: decision === 'allow', decidedBy: [...diagnostics.reason].sort() };
    },
  };
};

const requestOf = (
  person: Person,
  question: PermissionQuestion,
  { roles, freeze }: Situation,
): Pick<Request, 'principal' | 'action' | 'resource' | 'context' | 'entities'> => {
  const { action, environment, service, access } = question;
  const principal = uid('User', person.name);
  const resource =
    access === undefined ? uid('Service', `${environment}/${service}`) : uid('Access', service);
  const groups = [
    ...roles.map((role) => uid('Role', role)),
    ...person.groups.map((group) => uid('Group', group)),
  ];
  const place = uid('Environment', environment);
  return {
    principal,
    action: uid('Action', action),
    resource,
    context: contextOf(question),
    entities: [
      { uid: principal, attrs: { kind: person.kind }, parents: groups },
      ...[...groups, place].map((entity) => ({ uid: entity, attrs: {}, parents: [] })),
      { uid: resource, attrs: { name: service, frozen: freeze !== undefined }, parents: [place] },
    ],
  };
};

const nobody: AccessQuestion = { users: [], groups: [], isBreakGlass: false };

const contextOf = ({
  requestedBy,
  approvals,
  isHotfix,
  access: { users, groups, isBreakGlass } = nobody,
}: PermissionQuestion): Request['context'] => ({
  hotfix: isHotfix === true,
  breakGlass: isBreakGlass,
  users: users.map((user) => ({ __entity: uid('User', user) })),
  groups: groups.map((group) => ({ __entity: uid('Group', group) })),
  ...(approvals === undefined ? {} : { approvals }),
  ...(requestedBy === undefined ? {} : { requestedBy: { __entity: uid('User', requestedBy) } }),
});

const uid = (type: string, id: string): { type: string; id: string } => ({
  type: `Holdfast::${type}`,
  id,
});

/** Each policy under the id that it names itself by: decisions tell people that id. */
const policiesIn = (cedar: Cedar, { file, text }: PolicyText): [string, string][] => {
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === 'failure')
    throw invalid(
      file,
      parts.errors.map(({ message }) => message),
    );
  if (parts.policy_templates.length > 0) throw invalid(file, ['a template is not a policy']);
  return parts.policies.map((policy) => {
    const parsed = cedar.policyToJson(policy);
    if (parsed.type === 'failure')
      throw invalid(
        file,
        parsed.errors.map(({ message }) => message),
      );
    const id = parsed.json.annotations?.['id'];
    if (typeof id !== 'string' || id === '') {
      throw invalid(file, [`a policy has no @id("…"): ${policy.trim().slice(0, 80)}`]);
    }
    return [id, policy];
  });
};

const checkPolicies = (cedar: Cedar, staticPolicies: Record<string, string>): void => {
  const checked = cedar.validate({ schema: accessSchema(), policies: { staticPolicies } });
  if (checked.type === 'failure') {
    throw invalid(
      'all policies',
      checked.errors.map(({ message }) => message),
    );
  }
  const wrong = checked.validationErrors.map(
    ({ policyId, error }) => `${policyId}: ${error.message}`,
  );
  if (wrong.length > 0) throw invalid('all policies', wrong);
};

const succeed = (answer: ReturnType<Cedar['preparseSchema']>, what: string): void => {
  if (answer.type === 'failure')
    throw invalid(
      what,
      answer.errors.map(({ message }) => message),
    );
};

const invalid = (file: string, reasons: readonly string[]): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `The policies cannot be used, ${file}: ${reasons.join('; ')}. Nobody is let in.`,
    next: 'Correct the policy; schemas/access.cedarschema says what there is.',
    subject: file,
  });

const undecided = (reasons: readonly string[]): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `The policies gave no answer: ${reasons.join('; ')}. That is no permission.`,
    next: 'Correct the policy; `holdfast access check` asks it the same question.',
  });
