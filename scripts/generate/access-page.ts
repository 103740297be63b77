import { defaultPolicies } from '../../activities/identity/default-policies.ts';
import { accessActions } from '../../contracts/access-actions.ts';
import { AccessFile, DirectoryFile } from '../../contracts/shared/access-file.ts';
import { fieldTable, generatedNote } from './markdown.ts';
import { jsonSchemaOf } from './published-schemas.ts';

/** `docs/reference/access-yaml.md` */
export const accessPage = (): string =>
  [
    generatedNote,
    '# access.yaml',
    'Who may do what. Workers and commands read it from `HOLDFAST_ACCESS`; [access](../access.md) tells how it is used.',
    '```yaml\n# yaml-language-server: $schema=../../schemas/access.json\ndirectory: directory.yaml\nroles:\n  - { role: releaser, groups: [shop-team], environments: [staging] }\n  - { role: approver, groups: [release-managers] }\n  - { role: operator, groups: [on-call] }\nfreezes:\n  - { environment: prod, from: 2026-12-20T00:00:00Z, until: 2027-01-02T00:00:00Z, reason: holidays }\npolicies: [policies/production.cedar]\n```',
    fieldTable(jsonSchemaOf(AccessFile, 'input')),
    '## directory.yaml',
    '```yaml\n# yaml-language-server: $schema=../../schemas/directory.json\nusers:\n  ana@example.com: { groups: [shop-team] }\n  ci@example.com: { kind: service, groups: [shop-team] }\n  olga@example.com: { disabled: true }\n```',
    fieldTable(jsonSchemaOf(DirectoryFile, 'input')),
    '## Actions',
    'Every verb that changes something is an action, and is in the action of its verb alone: `action in Holdfast::Action::"approve"` means approving in every use case.',
    accessActions.map(({ id }) => `- \`${id}\``).join('\n'),
    '## Default policies',
    'They hold unless `defaultPolicies` is false. Policies of your own come beside them, each with an `@id` of its own: a `permit` allows more, a `forbid` wins over every `permit`.',
    `\`\`\`\n${defaultPolicies}\`\`\``,
  ]
    .join('\n\n')
    .concat('\n');
