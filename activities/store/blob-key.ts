import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codedFailure } from '../coded-failure.ts';

const keyBytes = 32;

/** Rights beyond those of the owner; a key that others can read protects nothing. */
const othersMask = 0o077;

const isCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;

const refuseWideRights = (file: string, mode: number): void => {
  if ((mode & othersMask) === 0) return;
  throw codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `The key file ${file} can be read by others (mode ${(mode & 0o777).toString(8)}); it was not used.`,
    next: `Run \`chmod 600 ${file}\`.`,
    subject: file,
  });
};

/** Creates the key under a name of its own, then links it: the first process wins, all read one key. */
const createKey = async (file: string): Promise<void> => {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${String(process.pid)}.${randomBytes(6).toString('hex')}`;
  try {
    const text = `${randomBytes(keyBytes).toString('hex')}\n`;
    // On the disk before anything is sealed with it.
    await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    await link(draft, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await unlink(draft).catch(() => undefined);
  }
};

const readExisting = async (file: string): Promise<Buffer | undefined> => {
  try {
    const handle = await open(file, 'r');
    await handle.close();
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const { mode } = await stat(file);
  refuseWideRights(file, mode);
  const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'hex');
  if (key.length === keyBytes) return key;
  throw codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `The key file ${file} does not hold 64 hexadecimal digits; nothing was stored.`,
    next: 'Put the key of the store back; without it what is stored cannot be read.',
    subject: file,
  });
};

/** The key of a store that several machines share: it is given to each, and made on none of them. */
export const readExistingKey = async (file: string): Promise<Buffer> => {
  const key = await readExisting(file);
  if (key !== undefined) return key;
  throw codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `There is no key file ${file}; nothing was stored.`,
    next: `Make one with \`(umask 077 && openssl rand -hex 32 > ${file})\` and give the same to every worker and client.`,
    subject: file,
  });
};

/**
 * The key of a store, created on first use. Two processes that start at once end with the
 * same key. @throws CONFIGURATION_INVALID if others may read the file, or it holds no key
 */
export const readOrCreateKey = async (file: string): Promise<Buffer> => {
  const existing = await readExisting(file);
  if (existing !== undefined) return existing;
  await createKey(file);
  const created = await readExisting(file);
  if (created === undefined) throw new Error(`the key file ${file} vanished while it was made`);
  return created;
};
