// Run with `node --experimental-vm-modules node_modules/jest/bin/jest.js`, or through
// `npm test -- --layer unit`. A layer is a folder of test/ and a project here.

/** @type {import('@jest/types').Config.InitialProjectOptions} */
const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.holdfast/'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

/** @type {import('@jest/types').Config.InitialProjectOptions} */
const withTemporal = { setupFiles: ['<rootDir>/test/setup/install-runtime.ts'] };

/** @type {import('@jest/types').Config.InitialProjectOptions} */
const withBundle = {
  globalSetup: '<rootDir>/test/setup/bundle-workflows.ts',
  globalTeardown: '<rootDir>/test/setup/remove-bundle.ts',
};

/** @type {import('@jest/types').Config.InitialProjectOptions} */
const withServer = {
  globalSetup: '<rootDir>/test/setup/start-temporal.ts',
  globalTeardown: '<rootDir>/test/setup/stop-temporal.ts',
};

/**
 * @param {string} name
 * @param {import('@jest/types').Config.InitialProjectOptions} settings
 */
const layer = (name, settings = {}) => ({
  ...base,
  ...settings,
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
});

/** @type {import('@jest/types').Config.InitialOptions} */
export default {
  // Only what hangs is ended; how fast a machine is must not decide whether a test passes.
  testTimeout: 300_000,
  maxWorkers: 2,
  // Of the tests in one file; see test/setup/side-by-side.ts.
  maxConcurrency: 3,
  projects: [
    layer('unit'),
    layer('replay', { ...withTemporal, ...withBundle }),
    layer('workflow', { ...withTemporal, ...withServer }),
    layer('integration', { ...withTemporal, ...withServer }),
    layer('e2e', {
      ...withTemporal,
      ...withBundle,
      globalTeardown: '<rootDir>/test/setup/end-real-pods.ts',
    }),
  ],
};
