import { catalogue } from './catalogue.ts';
import { lockMessageNames } from './messages.ts';

/** One verb of one use case: what a policy permits or forbids. */
export interface AccessAction {
  /** `deployService.approve`. */
  id: string;
  /** The same verb of all use cases, so that a policy can name them together: `approve`. */
  verb: string;
}

/** Every verb that changes something, from the catalogue; and that of the lock, which is no run. */
export const accessActions: readonly AccessAction[] = [
  ...catalogue.flatMap(({ workflow, messages }) =>
    ['start', ...messages].map((verb) => ({ id: `${workflow}.${verb}`, verb })),
  ),
  { id: `serviceEntity.${lockMessageNames.resolve}`, verb: lockMessageNames.resolve },
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
    '',
    '  /// The same verb of every use case.',
    ...verbs.map((verb) => `  action "${verb}";`),
    '',
    ...accessActions.map(
      ({ id, verb }) =>
        `  action "${id}" in [Action::"${verb}"] appliesTo {\n    principal: [User], resource: [Service], context: Question\n  };`,
    ),
    '',
    '  type Question = {',
    '    /// Who asked for the release that the action is about.',
    '    requestedBy?: User,',
    '    /// Approvals that the release will wait for; on a start.',
    '    approvals?: Long,',
    '    /// The release goes before all that wait; on a start.',
    '    hotfix: Bool,',
    '  };',
    '}',
    '',
  ].join('\n');
};
