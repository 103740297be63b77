import path from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

import { REPOSITORY } from './planted-tree.ts';

// The planted files do not exist, so the rules that need the compiler's types are switched off; what
// is tested here are the rules that this project adds or scopes to a folder.
const eslint = new ESLint({
  cwd: REPOSITORY,
  overrideConfigFile: path.join(REPOSITORY, 'eslint.config.js'),
  overrideConfig: [
    { ...tseslint.configs.disableTypeChecked, files: ['**/*.ts'] },
    { files: ['**/*.ts'], languageOptions: { parserOptions: { projectService: false } } },
  ],
});

async function complaints(filePath: string, code: string): Promise<readonly (string | null)[]> {
  const [result] = await eslint.lintText(code, { filePath: path.join(REPOSITORY, filePath) });
  return result?.messages.map(({ ruleId }) => ruleId) ?? ['no result'];
}

const clock = 'export const at = () => Date.now();\n';
const environment = "export const home = process.env['HOME'];\n";
const localCall =
  "import { scheduleLocalActivity } from '@temporalio/workflow';\nexport const call = scheduleLocalActivity;\n";
const timer = 'setTimeout(() => {}, 10);\n';
const talk = "console.log('ready');\n";

const planted: readonly (readonly [rule: string, file: string, code: string])[] = [
  ['holdfast/file-name', 'client/RunView.ts', 'export {};\n'],
  ['holdfast/file-name', 'client/run-utils.ts', 'export {};\n'],
  ['holdfast/file-name', 'sandbox/process-manager.ts', 'export {};\n'],
  ['no-restricted-properties', 'domain/delivery/plan.ts', clock],
  ['no-restricted-properties', 'domain/delivery/plan.ts', 'export const r = Math.random();\n'],
  ['no-restricted-syntax', 'domain/delivery/plan.ts', 'export const d = new Date();\n'],
  ['no-restricted-globals', 'domain/delivery/plan.ts', timer],
  ['no-restricted-globals', 'domain/delivery/plan.ts', "export const r = fetch('http://a');\n"],
  ['no-restricted-globals', 'workflows/delivery/run.ts', timer],
  ['no-restricted-globals', 'workflows/delivery/run.ts', 'export const p = process.pid;\n'],
  ['no-restricted-syntax', 'workflows/delivery/run.ts', "export const m = import('./x.ts');\n"],
  ['no-restricted-imports', 'workflows/delivery/run.ts', localCall],
  ['no-restricted-properties', 'activities/notify/webhook.ts', environment],
  ['no-console', 'workers/main.ts', talk],
  ['no-console', 'sandbox/stack.ts', talk],
  ['import-x/no-default-export', 'client/index.ts', 'export default 1;\n'],
  [
    '@typescript-eslint/no-import-type-side-effects',
    'workflows/delivery/run.ts',
    "import { type Port } from './port.ts';\nexport type P = Port;\n",
  ],
  ['max-params', 'domain/delivery/plan.ts', 'export const f = (a, b, c, d) => a + b + c + d;\n'],
  ['max-lines', 'domain/delivery/plan.ts', `export {};\n${'// line\n'.repeat(300)}`],
];

const allowed: readonly (readonly [what: string, file: string, code: string])[] = [
  ['the workflow clock, which the SDK makes repeatable', 'workflows/delivery/run.ts', clock],
  ['a date made from a value', 'domain/delivery/plan.ts', 'export const d = new Date(0);\n'],
  ['the environment in a config.ts', 'workers/config.ts', environment],
  ['talking in the command line', 'client/cli/main.ts', talk],
  ['a timer in an activity', 'activities/traffic/http-probes.ts', timer],
];

describe('lint rules', () => {
  test.each(planted)('%s complains in %s', async (rule, file, code) => {
    expect(await complaints(file, code)).toContain(rule);
  });

  test.each(allowed)('%s is fine', async (_what, file, code) => {
    expect(await complaints(file, code)).toEqual([]);
  });
});
