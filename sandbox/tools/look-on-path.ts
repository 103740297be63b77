/** Looks for a tool where users keep their own, and asks it for its version. */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tool } from './catalogue.ts';
import { runCommand } from './run-command.ts';

export interface PathCandidate {
  readonly path: string;
  /** Undefined where it does not tell one that we understand. */
  readonly version: string | undefined;
  readonly accepted: boolean;
}

/** All executables of the tool's name, in the order of PATH. */
export async function lookOnPath(
  tool: Tool,
  wanted: { readonly searchPath: readonly string[]; readonly version: string },
): Promise<readonly PathCandidate[]> {
  const { onPath } = tool;
  if (onPath === undefined) return [];
  const candidates: PathCandidate[] = [];
  for (const directory of new Set([...wanted.searchPath, ...(onPath.alsoIn ?? [])])) {
    const path = join(directory, onPath.executable);
    if (!(await isExecutable(path))) continue;
    const { stdout } = await runCommand({ command: path, args: onPath.versionArgs });
    const version = onPath.versionPattern.exec(stdout)?.[1];
    const accepted =
      version !== undefined &&
      (onPath.accept === 'at-least'
        ? isAtLeast(version, wanted.version)
        : sameVersion(version, wanted.version));
    candidates.push({ path, version, accepted });
  }
  return candidates;
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function sameVersion(left: string, right: string): boolean {
  return left.replace(/^v/, '') === right.replace(/^v/, '');
}

/** Compares the numbers of `1.26.8`; what follows them (`rc1`) does not count. */
export function isAtLeast(version: string, minimum: string): boolean {
  const numbers = (text: string): number[] => (text.match(/\d+/g) ?? []).slice(0, 3).map(Number);
  const actual = numbers(version);
  for (const [index, least] of numbers(minimum).entries()) {
    const part = actual[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
