import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codedFailure } from './coded-failure.ts';

/** What the file is to its reader, for the text of an error: `key ring`. */
export interface PrivateFile {
  file: string;
  kind: string;
  /** Command that puts something new in the place of what others may have read. */
  renewWith: string;
}

/** Rights beyond those of the owner: what others can read protects nothing. */
const othersMask = 0o077;

const isCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;

const invalid = (file: string, message: string, next: string): Error =>
  codedFailure({ code: 'CONFIGURATION_INVALID', message, next, subject: file });

/** The text; undefined if there is no file. @throws CONFIGURATION_INVALID if others may read it */
export const readPrivateFile = async ({
  file,
  kind,
  renewWith,
}: PrivateFile): Promise<string | undefined> => {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw invalid(
      file,
      `The ${kind} ${file} cannot be read: ${reason}.`,
      'Give this user the file.',
    );
  }
  try {
    // Of the open file, so that nobody swaps it between the look and the reading.
    const { mode } = await handle.stat();
    if ((mode & othersMask) !== 0) {
      throw invalid(
        file,
        `The ${kind} ${file} can be read by others (mode ${(mode & 0o777).toString(8)}); it was not used.`,
        `Run \`chmod 600 ${file}\`; if others could read it for long, \`${renewWith}\` too.`,
      );
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
};

const writeDraft = async (file: string, text: string): Promise<string> => {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}.draft`;
  await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true });
  return draft;
};

/** Writes the whole file or none of it. @throws CONFIGURATION_INVALID if it is there already */
export const createPrivateFile = async (
  { file, kind, renewWith }: PrivateFile,
  text: string,
): Promise<void> => {
  const draft = await writeDraft(file, text);
  try {
    await link(draft, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    throw invalid(
      file,
      `The ${kind} ${file} is there already; it was left as it is.`,
      `Renew what is in it with \`${renewWith}\`, or name another file.`,
    );
  } finally {
    await unlink(draft);
  }
};

/** What a process makes while it changes the file. */
export const lockOf = (file: string): string => `${file}.lock`;

/**
 * Reads, changes and replaces the file, while no other process does so: of two changes at once
 * one would be lost, and with it a key that something may be sealed with already.
 */
export const changePrivateFile = async <Outcome>(
  place: PrivateFile,
  change: (text: string | undefined) => { text: string; outcome: Outcome },
): Promise<Outcome> => {
  const { file, kind } = place;
  const lock = lockOf(file);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(lock, `${String(process.pid)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    throw invalid(
      lock,
      `Another command changes the ${kind} ${file}; nothing was changed.`,
      `Run the command again; if no other one runs, remove ${lock} first.`,
    );
  }
  try {
    const { text, outcome } = change(await readPrivateFile(place));
    const draft = await writeDraft(file, text);
    await rename(draft, file);
    return outcome;
  } finally {
    await unlink(lock);
  }
};
