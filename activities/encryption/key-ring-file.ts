import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  ringProblems,
  withNewKey,
  withRevokedKey,
  type KeyEntry,
  type RevocationRefusal,
} from '../../domain/security/key-ring.ts';
import { codedFailure } from '../coded-failure.ts';
import { changePrivateFile, createPrivateFile, readPrivateFile } from '../private-file.ts';

const format = 'holdfast-key-ring/1';
const keyBytes = 32;
const kind = 'key ring';
const renewWith = 'holdfast keys rotate';

/** Canonical base64 of exactly 32 bytes: a key that was cut off must not become a weaker one. */
const isKey = (text: string): boolean => {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === keyBytes && bytes.toString('base64') === text;
};

const StoredKey = z.strictObject({
  id: z.string().regex(/^[a-z0-9][-a-z0-9]{0,62}$/, 'must be lower-case letters, digits, hyphens'),
  createdAt: z.iso.datetime(),
  state: z.enum(['active', 'read-only', 'revoked']),
  key: z.string().refine(isKey, 'must be 32 bytes in base64'),
});

const KeyRingFile = z.strictObject({
  format: z.literal(format),
  keys: z.array(StoredKey).min(1),
});

export type StoredKey = z.output<typeof StoredKey>;

const invalid = (file: string, problems: readonly string[]): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `The key ring ${file} cannot be used: ${problems.join('; ')}.`,
    next: 'Correct the file, or put back the copy of it; docs/operators.md describes its format.',
    subject: file,
  });

/** No reason quotes the file: what stands in it must not reach a log. */
const parseRing = (file: string, text: string): StoredKey[] => {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw invalid(file, ['it is not JSON']);
  }
  const outcome = KeyRingFile.safeParse(content);
  if (!outcome.success) {
    throw invalid(
      file,
      outcome.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`),
    );
  }
  const problems = ringProblems(outcome.data.keys);
  if (problems.length > 0) throw invalid(file, problems);
  return outcome.data.keys;
};

const textOf = (keys: readonly StoredKey[]): string =>
  `${JSON.stringify({ format, keys }, null, 2)}\n`;

const newKey = (at: Date): StoredKey => ({
  id: `k${at.toISOString().slice(0, 10).replaceAll('-', '')}-${randomBytes(3).toString('hex')}`,
  createdAt: at.toISOString(),
  state: 'active',
  key: randomBytes(keyBytes).toString('base64'),
});

const entryOf = ({ id, createdAt, state }: StoredKey): KeyEntry => ({ id, createdAt, state });

const missing = (file: string): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `There is no key ring ${file}.`,
    next: 'Make one with `holdfast keys create`, or set HOLDFAST_KEY_RING to the one that is there.',
    subject: file,
  });

/** All keys with their bytes. @throws CONFIGURATION_INVALID if missing, wrong, or others may read it */
export const readKeyRingFile = async (file: string): Promise<StoredKey[]> => {
  const text = await readPrivateFile({ file, kind, renewWith });
  if (text === undefined) throw missing(file);
  return parseRing(file, text);
};

/** All keys, without their bytes. */
export const listKeys = async (file: string): Promise<KeyEntry[]> =>
  (await readKeyRingFile(file)).map(entryOf);

/** A new ring with one key. @throws CONFIGURATION_INVALID if there is one */
export const createKeyRingFile = async (file: string, at: Date): Promise<KeyEntry> => {
  const key = newKey(at);
  await createPrivateFile({ file, kind, renewWith }, textOf([key]));
  return entryOf(key);
};

const changeRing = async <Outcome>(
  file: string,
  change: (keys: StoredKey[]) => { keys: readonly StoredKey[]; outcome: Outcome },
): Promise<Outcome> =>
  changePrivateFile({ file, kind, renewWith }, (text) => {
    if (text === undefined) throw missing(file);
    const { keys, outcome } = change(parseRing(file, text));
    return { text: textOf(keys), outcome };
  });

/** A new key to write with; the ones before stay for reading. */
export const rotateKeyRingFile = async (file: string, at: Date): Promise<KeyEntry> =>
  changeRing(file, (keys) => {
    const key = newKey(at);
    return { keys: withNewKey(keys, key), outcome: entryOf(key) };
  });

const refusals: Record<RevocationRefusal, { reason: string; next: string }> = {
  unknown: { reason: 'is not in', next: 'Read the ids with `holdfast keys list`.' },
  active: {
    reason: 'is the one that writes in',
    next: 'Put another one in its place with `holdfast keys rotate`, then revoke this one.',
  },
};

/** Takes a key out of use: what it sealed is refused by name. @throws INVALID_INPUT */
export const revokeInKeyRingFile = async (file: string, id: string): Promise<KeyEntry> =>
  changeRing(file, (keys) => {
    const changed = withRevokedKey(keys, id);
    if (typeof changed === 'string') {
      const { reason, next } = refusals[changed];
      throw codedFailure({
        code: 'INVALID_INPUT',
        message: `The key ${id} ${reason} the key ring ${file}; nothing was changed.`,
        next,
        subject: id,
      });
    }
    const revoked = changed.find((key) => key.id === id);
    if (revoked === undefined) throw new Error(`the key ${id} vanished while it was revoked`);
    return { keys: changed, outcome: entryOf(revoked) };
  });
