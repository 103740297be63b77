import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';

const moduleAt = (name: string): string =>
  JSON.stringify(path.resolve(import.meta.dirname, '../../../client/cli', name));

/** Follows a run that never ends and draws it as on a terminal. */
const command = `
  import { setTimeout as delay } from 'node:timers/promises';
  // Before anything is loaded that asks whether there is a terminal.
  Object.defineProperty(process.stderr, 'isTTY', { value: true });
  const { processTerminal } = await import(${moduleAt('terminal.ts')});
  const { watchRun } = await import(${moduleAt('watch-run.ts')});
  const terminal = processTerminal();
  const watch = async function* ({ signal }) {
    while (!signal.aborted) {
      yield { progress: { status: 'running' }, executionStatus: 'RUNNING' };
      await delay(20);
    }
  };
  const end = await watchRun(terminal, { workflowId: 'run', watch }, {
    output: process.stderr,
    telling: { tree: () => 'the tree', events: () => [] },
  });
  console.log(end);
`;

test('Ctrl-C while the tree of a run is drawn ends the following, and the command says so', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(child, 'exit');
  const said = text(child.stdout);
  let drawn = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (!drawn.includes('the tree') && String(chunk).includes('the tree')) child.kill('SIGINT');
    drawn += String(chunk);
  });
  expect(await exit).toEqual([0, null]);
  expect(await said).toBe('interrupted\n');
});
