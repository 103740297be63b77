import { searchAttributes } from '../../contracts/search-attributes.ts';
import type { Contract } from '../../contracts/shared/define-contract.ts';
import { verbCommand } from '../../client/cli/command-lines.ts';
import { fieldTable, generatedNote, table } from './markdown.ts';
import { fileNameOf, jsonSchemaOf } from './published-schemas.ts';

/** `docs/reference/<use-case>.md` */
export const contractPage = (contract: Contract): string => {
  const { id, requirement, workflow, domain, pool, summary, example } = contract;
  const parsed = contract.input.parse(example);
  const name = fileNameOf(workflow);
  return [
    generatedNote,
    `# ${workflow}`,
    summary,
    table(
      ['', ''],
      [
        ['Catalogue', `${id}, requirement ${requirement}`],
        ['Guide', `[${name}](../use-cases/${name}.md)`],
        ['Facade', `\`ops.${domain}.${workflow}\``],
        ['Workflow id', `\`${contract.workflowId(parsed)}\` for the example below`],
        ['Task queue', `\`<prefix>-${pool}\``],
        [
          'Schemas',
          `[input](../../schemas/${name}.input.json), [result](../../schemas/${name}.result.json)`,
        ],
      ],
    ),
    '## Messages',
    'Each is an update with one argument, `{ actor, reason, proof? }`; `approve` and `reject` also name the `planDigest` that was read.',
    table(
      ['Update', 'Command'],
      contract.messages.map((message) => [
        `\`${message}\``,
        `\`${['holdfast', contract.command, verbCommand(message)].filter(Boolean).join(' ')}\``,
      ]),
    ),
    '## Search attributes',
    table(
      ['Attribute', 'Type'],
      contract.searchAttributes.map((key) => {
        const { name: attribute, type } = searchAttributes[key];
        return [`\`${attribute}\``, type.toLowerCase()];
      }),
    ),
    '## Input',
    fieldTable(jsonSchemaOf(contract.input, 'input')),
    `\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``,
    '## Result',
    fieldTable(jsonSchemaOf(contract.result, 'output')),
  ]
    .join('\n\n')
    .concat('\n');
};
