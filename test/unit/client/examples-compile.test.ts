import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';

const root = path.resolve(import.meta.dirname, '../../..');

const fenced = (text: string): string[] =>
  [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);

/** Examples inside of TSDoc carry the comment's stars. */
const inComments = (text: string): string[] => fenced(text.replaceAll(/^ *\* ?/gm, ''));

const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const sourcesBelow = (folder: string): string[] =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(folder, name));

const examples = [
  ...fenced(read('README.md')).map((code, index) => ({
    name: `README.md ${String(index + 1)}`,
    code,
  })),
  ...sourcesBelow('client').flatMap((file) =>
    inComments(read(file)).map((code, index) => ({ name: `${file} ${String(index + 1)}`, code })),
  ),
  { name: 'docs/examples/starter.ts', code: read('docs/examples/starter.ts') },
];

/** Compiles as a project would that has the package installed. */
const problemsOf = (code: readonly { name: string; code: string }[]): Map<string, string[]> => {
  const files = new Map(
    code.map((example, index) => [path.join(root, `example-${String(index)}.ts`), example]),
  );
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true },
    ...{ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2024, types: ['node'] },
    lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
    paths: {
      holdfast: [path.join(root, 'client/index.ts')],
      'holdfast/files': [path.join(root, 'client/cli/files/index.ts')],
    },
  };
  const host = ts.createCompilerHost(options);
  const original = host.getSourceFile.bind(host);
  host.getSourceFile = (name, language) => {
    const example = files.get(name);
    if (example === undefined) return original(name, language);
    return ts.createSourceFile(name, example.code, language);
  };
  const exists = host.fileExists.bind(host);
  host.fileExists = (name) => files.has(name) || exists(name);
  const program = ts.createProgram([...files.keys()], options, host);
  return new Map(
    [...files].map(([name, { name: title }]) => [
      title,
      ts
        .getPreEmitDiagnostics(program, program.getSourceFile(name))
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    ]),
  );
};

describe('examples in documents and comments', () => {
  const wrong = {
    name: 'wrong',
    code: "import { createOpsClient } from 'holdfast';\ncreateOpsClient(7);\nexport {};",
  };
  const problems = problemsOf([...examples, wrong]);

  test('there are some in the README, the facade and its error', () => {
    const names = examples.map(({ name }) => name).join('\n');
    for (const file of [
      'README.md',
      'client/index.ts',
      'client/ops-error.ts',
      'client/delivery/deploy-service.ts',
      'client/security/manage-access.ts',
    ]) {
      expect(names).toContain(file);
    }
  });

  test.each(examples)('$name compiles', ({ name }) => {
    expect(problems.get(name)).toEqual([]);
  });

  test('one that does not fit the facade would be found', () => {
    expect(problems.get('wrong')?.join()).toContain("Type '7'");
  });
});
