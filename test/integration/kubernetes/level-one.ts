import path from 'node:path';
import { sandboxUp, type Sandbox } from '../../../sandbox/index.ts';

/** The level-1 sandbox that all tests of a checkout share; whoever comes first starts it. */
export const levelOneSandbox = async (): Promise<Sandbox> =>
  sandboxUp({
    level: 1,
    stateDirectory:
      process.env['HOLDFAST_TEST_STATE_DIR'] ??
      path.resolve(import.meta.dirname, '../../../.holdfast/test-level-1'),
    temporal: { persistence: 'file' },
    confirm: () => Promise.resolve(false),
    onProgress: ({ step, message }) => {
      process.stderr.write(`${step}: ${message}\n`);
    },
  });
