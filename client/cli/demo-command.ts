import { once } from 'node:events';
import path from 'node:path';
import { Command } from 'commander';
import { deviations } from './demo-chapters.ts';
import { bringUpDemo, type DemoFlags } from './demo-stack.ts';
import { tellStory, type Story } from './demo-story.ts';
import { OpsError } from '../ops-error.ts';
import { formatElapsed } from './paint.ts';
import { renderStory } from './render-story.ts';
import { exitCodes, reportError } from './report-error.ts';
import { levelOption } from './sandbox-verbs.ts';
import { storyFigures } from './story-figures.ts';
import {
  canvasOf,
  printJson,
  printLine,
  processTerminal,
  say,
  untilReaderGone,
} from './terminal.ts';

const examplesDirectory = path.join(import.meta.dirname, '..', '..', 'docs', 'examples', 'shop');

const runDemo = async (flags: DemoFlags & { json?: boolean }): Promise<number> => {
  const screen = processTerminal();
  // With --json the tables are talk.
  const terminal = flags.json === true ? { ...screen, stdout: screen.stderr } : screen;
  const startedAtMs = performance.now();
  const stack = await bringUpDemo(terminal, flags);
  let story: Story;
  try {
    const telling = tellStory({ terminal, stack, image: flags.image, examplesDirectory });
    story = await Promise.race([telling, interruption()]);
    const { records, untold } = story;
    printLine(terminal, '');
    printLine(terminal, renderStory(records, untold, canvasOf(terminal, terminal.stdout)));
  } finally {
    await stack.close();
  }
  const asTold = story.records.every((record) => deviations(record).length === 0);
  const elapsedMs = performance.now() - startedAtMs;
  if (flags.json === true) printJson(screen, storyFigures(story, { asTold, elapsedMs }));
  const elapsed = formatElapsed(elapsedMs);
  say(
    terminal,
    asTold
      ? `Everything went as told, in ${elapsed}.`
      : `Something went otherwise than told, in ${elapsed}.`,
    asTold ? 'good' : 'bad',
  );
  return asTold ? 0 : 1;
};

/** Rejects on Ctrl-C and when nobody reads any more, so that what the story started is ended in order. */
const interruption = async (): Promise<never> => {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), untilReaderGone()]);
  throw new OpsError({
    code: 'ABORTED',
    message: 'The story was interrupted.',
    next: 'Run `npm run demo` again.',
  });
};

const program = new Command('demo')
  .description('Deploy four versions of a shop: two good ones, and two that must be put back')
  .option('--keep', 'leave the sandbox up')
  .option('--yes', 'change the host without being asked; so does HOLDFAST_YES=1')
  .option('--secure', 'seal what Temporal stores, ask policies, and have each release approved')
  .addOption(levelOption())
  .option('--context <name>', 'use an existing cluster, by kubeconfig context')
  .option('--kubeconfig <path>', 'kubeconfig of the existing cluster')
  .option('--json', 'print the figures of the story as JSON')
  .option('--image <repository>', 'repository of the shop images that the cluster can pull')
  .exitOverride();

try {
  const flags = program.parse().opts<DemoFlags & { json?: boolean }>();
  process.exitCode = await runDemo(flags);
} catch (error) {
  const exitCode = reportError(processTerminal(), error, false);
  const isInterruption = error instanceof OpsError && error.code === 'ABORTED';
  process.exitCode = isInterruption ? exitCodes.interrupted : exitCode;
}
