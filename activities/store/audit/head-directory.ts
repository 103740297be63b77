import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  appendLeaf,
  emptyRange,
  equalHashes,
  rootOf,
  type CompactRange,
  type Hash,
} from '../../../domain/security/merkle-tree.ts';
import { codedFailure } from '../../coded-failure.ts';
import { sha256 } from '../sha256.ts';
import { openNote } from './head-signer.ts';

/** A head as it goes to a directory: the note, and the hashes of the records since the head before. */
export interface ExportedHead {
  size: number;
  note: string;
  /** Position of the first of the leaves. */
  from: number;
  leaves: readonly Hash[];
}

export interface HeadsFromOutside {
  heads: { size: number; root: Buffer }[];
  leaves: Hash[];
  /** What the signatures were checked with. */
  verifierKey: string;
}

const keyName = 'verifier-key';
const hashBytes = 32;
const nameOf = (size: number): string => String(size).padStart(15, '0');

/**
 * Writes a head into the directory. The same head again replaces itself, so that a delivery may be
 * repeated. The note comes last: with it the head counts.
 */
export const writeHead = async (
  directory: string,
  { head, verifierKey }: { head: ExportedHead; verifierKey: string },
): Promise<void> => {
  // Not made here: a mount that is away must not become a folder below it.
  await writeAtOnce(path.join(directory, keyName), Buffer.from(`${verifierKey}\n`));
  const name = nameOf(head.size);
  const leaves = Buffer.concat(head.leaves);
  await writeAtOnce(path.join(directory, `${name}.leaves`), leaves);
  await writeAtOnce(path.join(directory, `${name}.head`), Buffer.from(head.note));
};

const writeAtOnce = async (file: string, bytes: Buffer): Promise<void> => {
  const draft = `${file}.${randomBytes(6).toString('hex')}.draft`;
  try {
    await writeFile(draft, bytes, { flag: 'wx', flush: true });
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
};

/**
 * Reads one head, or a directory with all that were exported and the hashes that came with them.
 * Each signature is checked, with the key that is given or the one in the directory.
 *
 * @throws INVALID_INPUT, AUDIT_LOG_BROKEN
 */
export const readHeads = async (place: string, key?: string): Promise<HeadsFromOutside> => {
  const isDirectory = await stat(place).then(
    (found) => found.isDirectory(),
    (cause: unknown) => {
      throw missing(`${place} cannot be read: ${(cause as Error).message}`);
    },
  );
  const directory = isDirectory ? place : path.dirname(place);
  const verifierKey = key ?? (await keyIn(directory));
  const names = isDirectory
    ? (await readdir(place)).filter((name) => /^\d{15}\.head$/.test(name)).sort()
    : [path.basename(place)];
  if (names.length === 0) throw missing(`${place} holds no head`);
  const heads: HeadsFromOutside['heads'] = [];
  const exported = { leaves: [] as Hash[], range: emptyRange };
  for (const name of names) {
    const file = path.join(directory, name);
    const { size, root } = openNote(await readFile(file, 'utf8'), verifierKey, file);
    const head = { size, root: Buffer.from(root, 'base64') };
    heads.push(head);
    if (isDirectory) await addLeaves(exported, file, head);
  }
  return { heads, leaves: exported.leaves, verifierKey };
};

/**
 * Only those that follow on from the ones before and that the head vouches for: others would blame
 * the wrong record.
 */
const addLeaves = async (
  exported: { leaves: Hash[]; range: CompactRange },
  headFile: string,
  { size, root }: { size: number; root: Hash },
): Promise<void> => {
  const bytes = await readFile(headFile.replace(/head$/, 'leaves')).catch(() => undefined);
  if (bytes?.length !== (size - exported.leaves.length) * hashBytes) return;
  const added: Hash[] = [];
  let { range } = exported;
  for (let at = 0; at < bytes.length; at += hashBytes) {
    const leaf = bytes.subarray(at, at + hashBytes);
    added.push(leaf);
    ({ range } = appendLeaf(sha256, range, leaf));
  }
  if (!equalHashes(rootOf(sha256, range), root)) return;
  for (const leaf of added) exported.leaves.push(leaf);
  exported.range = range;
};

const keyIn = async (directory: string): Promise<string> => {
  const file = path.join(directory, keyName);
  return readFile(file, 'utf8').catch(() => {
    throw missing(`There is no key to check the signature with: ${file} is not there`);
  });
};

const missing = (reason: string): Error =>
  codedFailure({
    code: 'INVALID_INPUT',
    message: `${reason}. Nothing was verified.`,
    next: 'Name the directory that heads are exported to, or a head in it; another key with --key.',
    subject: '--head',
  });
