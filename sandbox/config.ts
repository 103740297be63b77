/** The environment variables that the sandbox understands, read here and nowhere else. */
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface SandboxSettings {
  /** HOLDFAST_STATE_DIR: where a sandbox keeps its files. */
  readonly stateDirectory: string | undefined;
  /** XDG_CACHE_HOME or ~/.cache: tools are kept in `holdfast/tools` below. */
  readonly cacheHome: string;
  /** XDG_STATE_HOME or ~/.local/state: used where the checkout's own directory is another user's. */
  readonly stateHome: string;
  /** DATABASE_URL: a PostgreSQL that is used instead of one of the sandbox. */
  readonly databaseUrl: string | undefined;
  readonly searchPath: readonly string[];
  readonly homeDirectory: string;
}

export function readSandboxSettings(): SandboxSettings {
  const home = homedir();
  return {
    stateDirectory: readVariable('HOLDFAST_STATE_DIR'),
    cacheHome: readVariable('XDG_CACHE_HOME') ?? join(home, '.cache'),
    stateHome: readVariable('XDG_STATE_HOME') ?? join(home, '.local', 'state'),
    databaseUrl: readVariable('DATABASE_URL'),
    searchPath: (readVariable('PATH') ?? '').split(':').filter((entry) => entry !== ''),
    homeDirectory: home,
  };
}

/** An empty variable counts as not set. */
export function readVariable(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

/** The environment that child processes get, with changes; undefined takes a variable away. */
export function childEnvironment(
  changes: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const merged: Record<string, string | undefined> = { ...process.env, ...changes };
  return Object.fromEntries(
    Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
