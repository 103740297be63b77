/**
 * Writes POSIX ustar archives whose bytes depend on their entries only: sorted,
 * owned by root, without times. The same files always give the same digest.
 */
const BLOCK_BYTES = 512;
/** GNU tar and Go pad archives to this many blocks; some readers expect it. */
const RECORD_BYTES = 20 * BLOCK_BYTES;

/** A regular file of an archive. `mode` holds the permission bits. */
export interface ArchiveFile {
  /** Relative, with `/` between the parts. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

/** The archive of `files` and of the directories they imply. */
export function writeTarArchive(files: readonly ArchiveFile[]): Buffer {
  const blocks: Buffer[] = [];
  for (const entry of sortedEntries(files)) {
    blocks.push(header(entry), ...padded(entry.content));
  }
  const written = blocks.reduce((sum, block) => sum + block.length, 0) + 2 * BLOCK_BYTES;
  blocks.push(Buffer.alloc(roundUp(written, RECORD_BYTES) - written + 2 * BLOCK_BYTES));
  return Buffer.concat(blocks);
}

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
  readonly type: 'file' | 'directory';
}

function sortedEntries(files: readonly ArchiveFile[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const file of files) {
    checkPath(file.path);
    if (entries.has(file.path)) {
      throw new Error(`The archive would hold ${file.path} twice.`);
    }
    entries.set(file.path, { ...file, type: 'file' });
    for (const path of parentsOf(file.path)) {
      entries.set(path, { path, mode: 0o755, content: new Uint8Array(), type: 'directory' });
    }
  }
  // Code unit order, not the order of a locale: parents come before their files.
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/`);
}

function checkPath(path: string): void {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new Error(`${JSON.stringify(path)} is not a relative path without "." and "..".`);
  }
}

function header(entry: Entry): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const { name, prefix } = splitPath(entry.path);
  block.write(name, 0);
  block.write(octal(entry.mode, 8), 100);
  block.write(octal(0, 8), 108); // uid
  block.write(octal(0, 8), 116); // gid
  block.write(octal(entry.content.length, 12), 124);
  block.write(octal(0, 12), 136); // mtime
  block.write(' '.repeat(8), 148); // the checksum counts its own field as spaces
  block.write(entry.type === 'file' ? '0' : '5', 156);
  block.write('ustar\u000000', 257);
  block.write(octal(0, 8), 329); // device major
  block.write(octal(0, 8), 337); // device minor
  block.write(prefix, 345);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** ustar holds a path as a name of 100 bytes below a prefix of 155 bytes. */
function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) {
    return { name: path, prefix: '' };
  }
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name !== '' && Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) {
      return { name, prefix };
    }
  }
  throw new Error(`${path} is too long for an archive entry.`);
}

function octal(value: number, fieldBytes: number): string {
  const digits = value.toString(8);
  if (digits.length >= fieldBytes) {
    throw new Error(
      `${String(value)} does not fit an archive field of ${String(fieldBytes)} bytes.`,
    );
  }
  return `${digits.padStart(fieldBytes - 1, '0')}\0`;
}

function padded(content: Uint8Array): Buffer[] {
  const padding = roundUp(content.length, BLOCK_BYTES) - content.length;
  return [Buffer.from(content.buffer, content.byteOffset, content.length), Buffer.alloc(padding)];
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
