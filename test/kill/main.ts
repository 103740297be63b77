/**
 * `npm run test:kill`: loses every write of a release before and after it takes
 * effect, with and without the worker dying, and compares each end with the
 * undisturbed one. The last line is counted by `npm test`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { sandboxDown } from '../../sandbox/index.ts';
import { levelOneState, startReleaseStack } from '../setup/release-stack.ts';
import { scenarios, scenariosNamed } from './kill-matrix.ts';
import { teachRoutes } from './played-namespace.ts';
import { runMatrix } from './run-matrix.ts';

const { values } = parseArgs({
  options: {
    parallel: { type: 'string', default: '4' },
    /** What `npm test` plays; see `MatrixOptions`. */
    sample: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    /** Afterwards all that is left out of the normal tests with real pods: every write once more. */
    long: { type: 'boolean', default: false },
    /** Only these, by name and with commas in between. */
    scenario: { type: 'string' },
  },
});

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const root = path.resolve(import.meta.dirname, '../..');

/** The same on level 2, where what users notice counts too. */
const killOnRealPods = async (): Promise<boolean> => {
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'];
  const file = [
    '--selectProjects',
    'e2e',
    '--testPathPatterns',
    'kill-on-real-pods|other-workloads',
  ];
  const child = spawn(process.execPath, [...jest, ...file], {
    cwd: root,
    env: { ...process.env, HOLDFAST_LONG: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
};

const stack = await startReleaseStack(1, `kill-${String(process.pid)}`);
try {
  await teachRoutes(stack);
  const report = await runMatrix({
    stack,
    parallel: Number(values.parallel),
    sample: values.sample,
    scenarios:
      values.scenario === undefined ? scenarios : scenariosNamed(values.scenario.split(',')),
    onProgress: say,
  });
  for (const problem of report.problems) say(problem);
  const { shown, hit, identical } = report;
  process.stdout.write(
    `points: ${String(shown)} shown, ${String(hit)} hit, ${String(identical)} identical\n`,
  );
  const allEqual = shown > 0 && hit === shown && identical === shown;
  process.exitCode = allEqual && report.problems.length === 0 ? 0 : 1;
} finally {
  if (!values.keep) await sandboxDown(levelOneState);
}
if (values.long && !(await killOnRealPods())) process.exitCode = 1;
