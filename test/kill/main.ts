/**
 * `npm run test:kill`: loses every write of a release before and after it takes
 * effect, with and without the worker dying, and compares each end with the
 * undisturbed one. The last line is counted by `npm test`.
 */
import { parseArgs } from 'node:util';
import { sandboxDown } from '../../sandbox/index.ts';
import { levelOneState, startReleaseStack } from '../setup/release-stack.ts';
import { scenarios, scenariosNamed } from './kill-matrix.ts';
import { teachRoutes } from './played-route.ts';
import { runMatrix } from './run-matrix.ts';

const { values } = parseArgs({
  options: {
    parallel: { type: 'string', default: '4' },
    /** What `npm test` plays; see `MatrixOptions`. */
    sample: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    /** Only these, by name and with commas in between. */
    scenario: { type: 'string' },
  },
});

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
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
