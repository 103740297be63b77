import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import { importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

import { fileName } from './scripts/eslint/file-name.js';

const CLOCK_AND_CHANCE = [
  { object: 'Date', property: 'now', message: 'Take the time as a parameter.' },
  { object: 'performance', property: 'now', message: 'Take the time as a parameter.' },
  { object: 'Math', property: 'random', message: 'Take a seed or a generator as a parameter.' },
];

const ENVIRONMENT = {
  object: 'process',
  property: 'env',
  message: 'Read the environment in a config.ts, once, and pass the value on.',
};

const CLOCK_WITHOUT_ARGUMENT = {
  selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
  message: 'Take the time as a parameter.',
};

/** Two local activities of one run at once are answered in another order on replay. */
const ACTIVITY_CALLS = {
  name: '@temporalio/workflow',
  importNames: [
    'proxyActivities',
    'proxyLocalActivities',
    'scheduleActivity',
    'scheduleLocalActivity',
  ],
  message:
    'Call activities through workflows/runtime/ports.ts, which lets one local one go at a time.',
};

/** Everything but types and the WebSocket, which is given an agent of ours. */
const OTHER_HTTP = {
  name: 'undici',
  allowImportNames: ['WebSocket'],
  allowTypeImports: true,
  message: 'Open connections by activities/http-agent.ts, which keeps to HTTP/1.1.',
};

const DYNAMIC_IMPORT = {
  selector: 'ImportExpression',
  message: 'The bundle must be complete before the run starts.',
};

/** @param {string[]} names @param {string} message */
const restricted = (names, message) => names.map((name) => ({ name, message }));

const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];
const HOST = ['process', 'fetch', 'require', 'performance', 'crypto', 'Buffer', 'XMLHttpRequest'];

export default defineConfig(
  { ignores: ['node_modules/', 'dist/', '.holdfast/', 'docs/examples/', 'bench/results/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    name: 'every file',
    files: ['**/*.{ts,js,mjs}'],
    extends: [eslint.configs.recommended, tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { 'import-x': importX, holdfast: { rules: { 'file-name': fileName } } },
    rules: {
      'holdfast/file-name': 'error',

      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 50 }],
      complexity: ['error', 10],
      'max-depth': ['error', 3],
      'max-params': ['error', 3],

      'import-x/first': 'error',
      'import-x/newline-after-import': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-duplicates': 'error',

      // With verbatimModuleSyntax `import { type X }` still loads the module; only `import type`
      // leaves no edge at run time.
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',

      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true },
      ],
      // A port's verb is async by contract, also in the adapter that has nothing to wait for, so
      // that a throw always becomes a rejection.
      '@typescript-eslint/require-await': 'off',

      'no-console': 'error',
      'no-restricted-properties': ['error', ENVIRONMENT],
      eqeqeq: 'error',
    },
  },

  {
    name: 'domain: no clock, no chance, no host',
    files: ['domain/**'],
    rules: {
      'no-restricted-properties': ['error', ENVIRONMENT, ...CLOCK_AND_CHANCE],
      'no-restricted-syntax': ['error', CLOCK_WITHOUT_ARGUMENT, DYNAMIC_IMPORT],
      'no-restricted-globals': [
        'error',
        ...restricted(HOST, 'Decisions touch nothing; take the value as a parameter.'),
        ...restricted(TIMERS, 'Decisions do not wait; return when to look again.'),
      ],
    },
  },
  {
    name: 'workflows: only what replay can repeat',
    files: ['workflows/**'],
    rules: {
      'no-restricted-syntax': ['error', DYNAMIC_IMPORT],
      'no-restricted-globals': [
        'error',
        ...restricted(HOST, 'Effects belong into an activity.'),
        ...restricted(TIMERS, 'Use sleep or condition, which carry a summary into the history.'),
      ],
    },
  },
  {
    name: 'workflows: activities are called through ports',
    files: ['workflows/**'],
    ignores: ['workflows/runtime/ports.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [ACTIVITY_CALLS] }] },
  },

  {
    name: 'HTTP: one way to open connections',
    files: ['activities/**', 'client/**', 'workers/**'],
    // The prober of the demo sends plain HTTP to the sandbox's own gateway.
    ignores: ['activities/http-agent.ts', 'client/cli/demo-prober.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { paths: [OTHER_HTTP] }] },
  },

  {
    name: 'configuration is read here',
    files: ['**/config.ts', '**/*.config.ts', 'scripts/**', 'test/**', 'bench/**'],
    ignores: ['domain/**', 'workflows/**'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    name: 'talks to the person at the terminal',
    files: ['client/cli/**', 'scripts/**', 'bench/**', 'test/kill/**'],
    rules: { 'no-console': 'off' },
  },
  {
    name: 'tests: a describe block is as long as its cases',
    files: ['test/**'],
    rules: { 'max-lines-per-function': ['error', { max: 280 }] },
  },
  {
    name: 'the tools load a default export',
    files: [
      '*.js',
      'test/setup/{bundle-workflows,end-real-pods,remove-bundle,start-temporal,stop-temporal}.ts',
    ],
    rules: { 'import-x/no-default-export': 'off' },
  },
  {
    name: 'plain JavaScript: types come from JSDoc, parsed JSON stays loose',
    files: ['**/*.{js,mjs}'],
    rules: {
      'no-undef': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
);
