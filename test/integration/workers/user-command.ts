import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const entry = path.resolve(import.meta.dirname, '../../../client/cli/main.ts');

/** `holdfast …` in a directory without a sandbox, with these settings and no others. */
export const startUserCommand = async (
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: unknown; stdout: string; stderr: string }> => {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await ended) as unknown[];
  return { code, stdout, stderr };
};
