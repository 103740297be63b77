import { catalogue } from './catalogue.ts';
import { lockMessageNames } from './messages.ts';
import type { Contract } from './shared/define-contract.ts';

/** One verb of one use case: what a policy permits or forbids. */
export interface AccessAction {
  /** `deployService.approve`. */
  id: string;
  /** The same verb of all use cases, so that a policy can name them together: `approve`. */
  verb: string;
  /** What it is done to. */
  about: 'Service' | 'Access';
}

const decisions: ReadonlySet<string> = new Set(['approve', 'reject']);

/** Every verb that changes something, from the catalogue; and that of the lock, which is no run. */
export const accessActions: readonly AccessAction[] = [
  ...catalogue.flatMap((contract: Contract) =>
    ['start', ...contract.messages].map((verb) => ({
      id: `${contract.workflow}.${verb}`,
      verb: decisions.has(verb) ? verb : (contract.steering ?? verb),
      about: contract.steering === undefined ? ('Service' as const) : ('Access' as const),
    })),
  ),
  {
    id: `serviceEntity.${lockMessageNames.resolve}`,
    verb: lockMessageNames.resolve,
    about: 'Service',
  },
];

/** The schema that policies are checked against, in Cedar's own notation. */
export const accessSchema = (): string => {
  const verbs = [...new Set(accessActions.map(({ verb }) => verb))].sort();
  return [
    '// Generated from the catalogue; `npm run generate` writes it again.',
    'namespace Holdfast {',
    '  /// What someone is, in the environment that the action is about.',
    '  entity Role;',
    '  entity Group;',
    '  entity User in [Role, Group] { kind: String };',
    '  entity Environment;',
    '  /// Id: `environment/service`. `frozen`: a freeze of its environment holds now.',
    '  entity Service in [Environment] { name: String, frozen: Bool };',
    '  /// A change of who has which roles. Id: its name. Environment `*` if it is for more than one.',
    '  entity Access in [Environment] { name: String, frozen: Bool };',
    '',
    '  /// The same verb of every use case.',
    ...verbs.map((verb) => `  action "${verb}";`),
    '',
    ...accessActions.map(
      ({ id, verb, about }) =>
        `  action "${id}" in [Action::"${verb}"] appliesTo {\n    principal: [User], resource: [${about}], context: Question\n  };`,
    ),
    '',
    '  type Question = {',
    '    /// Who asked for the release or the change of access that the action is about.',
    '    requestedBy?: User,',
    '    /// Approvals that the release will wait for; on a start.',
    '    approvals?: Long,',
    '    /// The release goes before all that wait; on a start.',
    '    hotfix: Bool,',
    '    /// Whom a change of access is for; nobody where it is about a release.',
    '    users: Set<User>,',
    '    groups: Set<Group>,',
    '    /// The roles are taken at once and reviewed afterwards.',
    '    breakGlass: Bool,',
    '  };',
    '}',
    '',
  ].join('\n');
};
