import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { codedErrorOf } from '../../../activities/coded-failure.ts';
import { createContracts } from '../../../activities/contracts/index.ts';
import { loadAccessChange, loadServiceDefinition } from '../../../client/cli/files/index.ts';
import { OpsError } from '../../../client/index.ts';
import { catalogue } from '../../../contracts/catalogue.ts';
import { fileNameOf, publishedSchemas } from '../../../scripts/generate/published-schemas.ts';
import { readConfig } from '../../../workers/config.ts';
import { StartError } from '../../../workers/start-error.ts';
import { describeDoor, type Door, type Refusal } from '../../fuzz/describe-door.ts';
import {
  rulesOfAccessChangeFiles,
  rulesOfAccessChanges,
  rulesOfDefinitions,
  rulesOfEnvironments,
  rulesOfReleases,
  type RuleBeyondSchema,
} from '../../fuzz/rules-beyond-schemas.ts';
import type { Schema } from '../../fuzz/schema-oracle.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-fuzz-'));
  await writeFile(path.join(folder, 'temporal.toml'), '[profile.default]');
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

const schemaOf = (name: string): Schema => {
  const found = publishedSchemas().find((published) => published.name === name);
  if (found === undefined) throw new Error(`there is no schema ${name}`);
  return found.schema;
};

/** A door that ends where the value was read; what it would start is counted as read. */
const readingDoor = (
  door: Pick<Door, 'schema' | 'rules' | 'refusesWith' | 'drawn'>,
  read: (value: unknown) => Promise<unknown>,
): Door => {
  let passed = 0;
  return {
    ...door,
    passed: () => passed,
    offer: async (value) => {
      try {
        await read(value);
        passed += 1;
        return undefined;
      } catch (error) {
        return refusalOf(error);
      }
    },
  };
};

const refusalOf = (error: unknown): Refusal => {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof OpsError || error instanceof StartError) return { code: error.code, text };
  return { code: codedErrorOf(error)?.code, text };
};

let files = 0;

/** JSON is YAML. */
const written = async (value: unknown): Promise<string> => {
  const file = path.join(folder, `${String((files += 1))}.yaml`);
  await writeFile(file, JSON.stringify(value));
  return file;
};

const rulesOf: Readonly<Record<string, readonly RuleBeyondSchema[]>> = {
  deployService: rulesOfReleases,
  manageAccess: rulesOfAccessChanges,
};

for (const { id, workflow } of catalogue) {
  const schema = schemaOf(`${fileNameOf(workflow)}.input`);
  const contracts = createContracts({ timeoutProfile: 'test' });
  describeDoor(
    `the input of ${workflow} as a worker reads it`,
    readingDoor(
      { schema, rules: rulesOf[workflow] ?? [], refusesWith: 'INVALID_INPUT', drawn: 4_000 },
      async (value) => contracts.parse({ contract: id, value }),
    ),
  );
}

describeDoor(
  'the file holdfast.yaml',
  readingDoor(
    { schema: schemaOf('holdfast'), rules: rulesOfDefinitions, refusesWith: 'INVALID_INPUT' },
    async (value) => loadServiceDefinition(await written(value)),
  ),
);

describeDoor(
  'the file of a change of access',
  readingDoor(
    {
      schema: schemaOf('access-change'),
      rules: rulesOfAccessChangeFiles,
      drawn: 4_000,
      refusesWith: 'INVALID_INPUT',
    },
    async (value) => loadAccessChange(await written(value)),
  ),
);

describeDoor(
  'the file environments.yaml',
  readingDoor(
    {
      schema: schemaOf('environments'),
      rules: rulesOfEnvironments,
      refusesWith: 'CONFIGURATION_INVALID',
    },
    async (value) => {
      readConfig({
        HOLDFAST_ENVIRONMENTS: await written(value),
        HOLDFAST_POOLS: 'traffic',
        // Without a profile of its own the user's would take part.
        TEMPORAL_CONFIG_FILE: path.join(folder, 'temporal.toml'),
      });
    },
  ),
);
