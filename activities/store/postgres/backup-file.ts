import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, open, unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { z } from 'zod';
import { codedFailure } from '../../coded-failure.ts';

/**
 * A backup is gzipped text. The first line says what it is; then, for each table, a line with its
 * name and one for each row, as PostgreSQL writes it in JSON; the last line has a digest of all the
 * lines before it.
 */
const Head = z.strictObject({
  format: z.literal('holdfast-store'),
  version: z.literal(1),
  takenAt: z.string(),
  migrations: z.array(z.strictObject({ number: z.int(), name: z.string(), checksum: z.string() })),
});

export type BackupHead = z.output<typeof Head>;

/** A line of the content: the name of a table, or a row of the table named last. */
export type BackupLine = { table: string } | { row: string };

const tableMark = 'T';
const rowMark = 'R';
const endMark = 'E';

/** Writes a backup beside its place and puts it there complete. @throws INVALID_INPUT */
export const writeBackup = async (
  file: string,
  { head, lines }: { head: BackupHead; lines: AsyncIterable<BackupLine> },
): Promise<void> => {
  const draft = `${file}.${randomBytes(6).toString('hex')}.draft`;
  try {
    await pipeline(
      Readable.from(withDigest(head, lines)),
      createGzip(),
      createWriteStream(draft, { mode: 0o600, flags: 'wx' }),
    );
    await flush(draft);
    // Unlike a rename this does not replace a file that is there.
    await link(draft, file);
  } catch (error) {
    throw isCode(error, 'EEXIST') || isCode(error, 'ENOENT') ? cannotWrite(file, error) : error;
  } finally {
    await unlink(draft).catch(() => undefined);
  }
};

async function* withDigest(
  head: BackupHead,
  lines: AsyncIterable<BackupLine>,
): AsyncGenerator<string> {
  const digest = createHash('sha256');
  const hashed = (line: string): string => {
    digest.update(line);
    return line;
  };
  yield hashed(`${JSON.stringify(head)}\n`);
  for await (const line of lines) {
    yield hashed('table' in line ? `${tableMark}${line.table}\n` : `${rowMark}${line.row}\n`);
  }
  yield `${endMark}${digest.digest('hex')}\n`;
}

const flush = async (file: string): Promise<void> => {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Reads all of the file before anything is done with it. @throws BACKUP_INVALID */
export const verifyBackup = async (file: string): Promise<BackupHead> => {
  const digest = createHash('sha256');
  let head: BackupHead | undefined;
  let end: string | undefined;
  for await (const line of linesOf(file)) {
    if (end !== undefined) throw invalid(file, 'goes on after its end');
    if (line.startsWith(endMark)) {
      end = line.slice(endMark.length);
      continue;
    }
    head ??= headIn(file, line);
    digest.update(`${line}\n`);
  }
  if (head === undefined) throw invalid(file, 'is empty');
  if (end === undefined) throw invalid(file, 'is cut off');
  if (end !== digest.digest('hex')) throw invalid(file, 'was altered');
  return head;
};

/** The content of a verified backup. */
export async function* readBackup(file: string): AsyncGenerator<BackupLine> {
  for await (const line of linesOf(file)) {
    if (line.startsWith(tableMark)) yield { table: line.slice(tableMark.length) };
    if (line.startsWith(rowMark)) yield { row: line.slice(rowMark.length) };
  }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const source = createReadStream(file);
  const text = source.pipe(createGunzip());
  source.on('error', (error) => text.destroy(error));
  // Only \n ends a line: JSON may hold the other marks that readline would take for an end.
  let rest = '';
  try {
    for await (const chunk of text.setEncoding('utf8') as AsyncIterable<string>) {
      const [first = '', ...more] = chunk.split('\n');
      rest += first;
      for (const next of more) {
        yield rest;
        rest = next;
      }
    }
  } catch (cause) {
    throw invalid(file, `cannot be read (${(Object(cause) as Error).message})`);
  } finally {
    source.destroy();
  }
  if (rest !== '') throw invalid(file, 'is cut off');
}

const headIn = (file: string, line: string): BackupHead => {
  try {
    return Head.parse(JSON.parse(line));
  } catch {
    throw invalid(file, 'does not begin like a backup of the store');
  }
};

const invalid = (file: string, reason: string): Error =>
  codedFailure({
    code: 'BACKUP_INVALID',
    message: `${file} ${reason}. Nothing was restored.`,
    subject: file,
  });

const cannotWrite = (file: string, cause: unknown): Error =>
  codedFailure(
    {
      code: 'INVALID_INPUT',
      message: isCode(cause, 'EEXIST')
        ? `${file} is there already and was left as it is. No backup was taken.`
        : `The folder of ${file} is not there. No backup was taken.`,
      next: 'Name another file.',
      subject: file,
    },
    { cause },
  );

const isCode = (error: unknown, code: string): boolean =>
  (Object(error) as { code?: unknown }).code === code;
