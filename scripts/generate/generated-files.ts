import { accessSchema } from '../../contracts/access-actions.ts';
import { catalogue } from '../../contracts/catalogue.ts';
import { accessPage } from './access-page.ts';
import { commandLinePage } from './command-line-page.ts';
import { contractPage } from './contract-page.ts';
import { accessChangePage, environmentsPage, serviceDefinitionPage } from './file-pages.ts';
import { errorsPage } from './errors-page.ts';
import { fileNameOf, publishedSchemas } from './published-schemas.ts';

/** A file that follows from the sources; the path is relative to the repository. */
export interface GeneratedFile {
  name: string;
  text: string;
}

/** Everything under `schemas/` and `docs/reference/`. */
export const generatedFiles = (): GeneratedFile[] => [
  ...publishedSchemas().map(({ name, schema }) => ({
    name: `schemas/${name}.json`,
    text: `${JSON.stringify(schema, null, 2)}\n`,
  })),
  { name: 'schemas/access.cedarschema', text: accessSchema() },
  { name: 'docs/reference/access-yaml.md', text: accessPage() },
  { name: 'docs/reference/errors.md', text: errorsPage() },
  { name: 'docs/reference/cli.md', text: commandLinePage() },
  { name: 'docs/reference/environments.md', text: environmentsPage() },
  { name: 'docs/reference/access-change-yaml.md', text: accessChangePage() },
  { name: 'docs/reference/holdfast-yaml.md', text: serviceDefinitionPage() },
  ...catalogue.map((contract) => ({
    name: `docs/reference/${fileNameOf(contract.workflow)}.md`,
    text: contractPage(contract),
  })),
];
