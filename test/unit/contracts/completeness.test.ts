import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createProgram, withDescendants } from '../../../client/cli/program.ts';
import { verbCommand } from '../../../client/cli/command-lines.ts';
import { createOpsClient } from '../../../client/index.ts';
import type { Contract } from '../../../contracts/shared/define-contract.ts';
import { catalogue } from '../../../contracts/catalogue.ts';
import { fileNameOf } from '../../../scripts/generate/published-schemas.ts';
import { openTestClient } from './unconnected-client.ts';

const root = path.resolve(import.meta.dirname, '../../..');

/** Workflow types that serve the use cases and are started by them, not by users. */
const supporting = ['restoreRelease', 'serviceEntity'];

const namesBelow = async (folder: string): Promise<string[]> =>
  readdir(path.join(root, folder), { recursive: true }).catch(() => []);

const read = async (file: string): Promise<string> => readFile(path.join(root, file), 'utf8');

const exportedWorkflows = async (): Promise<string[]> => {
  const index = await read('workflows/index.ts');
  return [...index.matchAll(/export \{ ([^}]+) \}/g)].flatMap(([, names = '']) =>
    names.split(',').map((name) => name.trim()),
  );
};

describe.each(catalogue)('$id $workflow has all of its artefacts', (contract) => {
  const { workflow, domain } = contract;
  const name = fileNameOf(workflow);

  test('contract, workflow and a place in the bundle', async () => {
    expect(await namesBelow(`contracts/${domain}`)).toContain(`${name}.ts`);
    expect(await namesBelow(`workflows/${domain}`)).toContain(`${name}.ts`);
    expect(await exportedWorkflows()).toContain(workflow);
  });

  test('decisions with unit tests, and tests of the workflow', async () => {
    expect((await namesBelow(`domain/${domain}`)).length).toBeGreaterThan(0);
    const unit = (await namesBelow(`test/unit/${domain}`)).filter((file) =>
      file.endsWith('.test.ts'),
    );
    expect(unit.length).toBeGreaterThan(0);
    const tests = await namesBelow(`test/workflow/${domain}`);
    expect(tests.filter((file) => file.endsWith('.test.ts'))).not.toEqual([]);
    const texts = tests.map(async (file) => read(`test/workflow/${domain}/${file}`));
    expect((await Promise.all(texts)).join('\n')).toContain(`'${workflow}'`);
  });

  test('a recorded history for replay', async () => {
    const histories = await namesBelow('test/replay/histories');
    expect(histories.filter((file) => path.basename(file).startsWith(`${workflow}.`))).not.toEqual(
      [],
    );
  });

  test('a guide, a reference page and schemas', async () => {
    expect(await namesBelow('docs/use-cases')).toContain(`${name}.md`);
    expect(await namesBelow('docs/reference')).toContain(`${name}.md`);
    expect(await namesBelow('schemas')).toEqual(
      expect.arrayContaining([`${name}.input.json`, `${name}.result.json`]),
    );
  });

  test('a method of the facade', async () => {
    await using client = await openTestClient();
    const ops = await createOpsClient({ client: client.temporal });
    const facade = (ops as unknown as Record<string, Record<string, object>>)[domain]?.[workflow];
    expect(facade).toEqual(
      expect.objectContaining({
        start: expect.any(Function),
        startOrGet: expect.any(Function),
        execute: expect.any(Function),
        getHandle: expect.any(Function),
      }),
    );
  });

  test('a verb of the command line for each message', () => {
    const terminal = {
      stdout: { write: () => undefined },
      stderr: { write: () => undefined },
      stdin: process.stdin,
      canAsk: false,
      colour: false,
    };
    const verbs = withDescendants(createProgram({ terminal, end: () => undefined })).map(
      (command) => command.name(),
    );
    expect(verbs).toEqual(expect.arrayContaining(contract.messages.map(verbCommand)));
  });

  test('an example that parses, and an id that names what it is about', () => {
    const row: Contract = contract;
    const parsed = row.input.parse(row.example) as Record<string, string>;
    const names = [parsed['environment'], parsed['service'], parsed['change']].filter(Boolean);
    expect(names).not.toEqual([]);
    for (const name of names) expect(row.workflowId(parsed)).toContain(name);
  });
});

describe('nothing is there without a row in the catalogue', () => {
  const names = catalogue.map(({ workflow }) => fileNameOf(workflow));

  test('no workflow', async () => {
    const known = [...catalogue.map(({ workflow }) => workflow), ...supporting];
    expect((await exportedWorkflows()).sort()).toEqual(known.sort());
  });

  test('no contract', async () => {
    const files = (await namesBelow('contracts')).filter((file) => file.endsWith('.ts'));
    const texts = await Promise.all(
      files.map(async (file) => ({ file, text: await read(`contracts/${file}`) })),
    );
    const defining = texts
      .filter(({ text }) => /= defineContract\(/.test(text))
      .map(({ file }) => path.basename(file, '.ts'));
    expect(defining.filter((name) => name !== 'define-contract').sort()).toEqual([...names].sort());
  });

  test('no guide', async () => {
    const guides = await namesBelow('docs/use-cases');
    expect(guides.map((file) => path.basename(file, '.md')).sort()).toEqual([...names].sort());
  });

  test('no history', async () => {
    const types = (await namesBelow('test/replay/histories')).map(
      (file) => path.basename(file).split('.')[0],
    );
    const known = await exportedWorkflows();
    expect(types.filter((type) => !known.includes(type ?? ''))).toEqual([]);
  });

  test('ids and workflow types are unique', () => {
    expect(new Set(catalogue.map(({ id }) => id)).size).toBe(catalogue.length);
    expect(new Set(catalogue.map(({ workflow }) => workflow)).size).toBe(catalogue.length);
  });
});
