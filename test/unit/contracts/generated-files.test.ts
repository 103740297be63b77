import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { catalogue } from '../../../contracts/catalogue.ts';
import { generatedFiles } from '../../../scripts/generate/generated-files.ts';
import { fileNameOf, publishedSchemas } from '../../../scripts/generate/published-schemas.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const generated = generatedFiles();

describe('schemas and reference pages', () => {
  test.each(generated)('$name is what the sources say', async ({ name, text }) => {
    expect(await readFile(path.join(root, name), 'utf8')).toBe(text);
  });

  test.each(['schemas', 'docs/reference'])(
    '%s holds nothing that no source explains',
    async (folder) => {
      const names = (await readdir(path.join(root, folder))).map((name) => `${folder}/${name}`);
      const explained = generated.map(({ name }) => name).filter((name) => name.startsWith(folder));
      expect(names.sort()).toEqual(explained.sort());
    },
  );

  // Formats such as uuid are annotations here; the pattern that zod writes beside them decides.
  const ajv = new Ajv({ allowUnionTypes: true, validateFormats: false });
  const schemaOf = (name: string) => {
    const found = publishedSchemas().find((schema) => schema.name === name);
    if (found === undefined) throw new Error(`there is no schema ${name}`);
    return ajv.compile(found.schema);
  };

  test('every schema is one that an independent validator understands', () => {
    for (const { name } of publishedSchemas()) expect(schemaOf(name)).toBeInstanceOf(Function);
  });

  test.each(catalogue)(
    'the schema of $workflow takes the example and refuses another field',
    (contract) => {
      const validate = schemaOf(`${fileNameOf(contract.workflow)}.input`);
      expect(validate(contract.example)).toBe(true);
      expect(validate({ ...contract.example, unheardOf: 1 })).toBe(false);
      expect(validate({ ...contract.example, service: 'Not A Label' })).toBe(false);
    },
  );

  test('the schema of holdfast.yaml judges as the reader does', () => {
    const validate = schemaOf('holdfast');
    const file = { service: 'shop', environment: 'staging', manifests: ['k8s/'] };
    expect(validate(file)).toBe(true);
    expect(validate({ ...file, deadline: '10 minutes' })).toBe(false);
    expect(validate({ ...file, manifests: [] })).toBe(false);
    expect(validate({ ...file, deadlin: '10m' })).toBe(false);
  });
});
