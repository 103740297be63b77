import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';

const terminal = path.resolve(import.meta.dirname, '../../../client/cli/terminal.ts');

/** A command that says something all the time and takes down what it started when a signal comes. */
const command = `
  import { printLine, processTerminal, say, untilReaderGone } from ${JSON.stringify(terminal)};
  const terminal = processTerminal();
  const talk = setInterval(() => { say(terminal, 'talk'); printLine(terminal, 'data'); }, 5);
  const takeDown = () => {
    say(terminal, 'Stopping.');
    setTimeout(() => {
      say(terminal, 'taken down');
      printLine(terminal, 'taken down');
      clearInterval(talk);
    }, 50);
  };
  if (process.env.TAKES_DOWN === 'yes') {
    process.once('SIGINT', takeDown);
    void untilReaderGone().then(takeDown);
  }
  // As a library does that puts the cursor back.
  process.on('SIGTERM', () => process.exit(143));
`;

type Child = ChildProcessByStdio<null, Readable, Readable>;

const start = async (takesDown: 'yes' | 'no'): Promise<Child> => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', command], {
    env: { ...process.env, TAKES_DOWN: takesDown },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await once(child.stdout, 'readable');
  return child;
};

const exitOf = async (child: Child): Promise<unknown[]> => once(child, 'exit');

test('Ctrl-C that also ends the reader of stderr: what was started is taken down', async () => {
  const child = await start('yes');
  const exit = exitOf(child);
  child.stderr.destroy();
  child.kill('SIGINT');
  expect(await text(child.stdout)).toContain('taken down');
  expect(await exit).toEqual([0, null]);
});

test('a reader of stdout that has seen enough: what was started is taken down', async () => {
  const child = await start('yes');
  const exit = exitOf(child);
  child.stdout.destroy();
  const talk = await text(child.stderr);
  expect(talk.match(/Stopping\./g)).toHaveLength(1);
  expect(talk).toContain('taken down');
  expect(await exit).toEqual([0, null]);
});

test('a reader of stdout that has seen enough: a command without more to do ends quietly', async () => {
  const child = await start('no');
  const exit = exitOf(child);
  child.stdout.destroy();
  const talk = await text(child.stderr);
  expect(talk).not.toContain('Error');
  expect(await exit).toEqual([0, null]);
});
