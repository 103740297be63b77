import { z } from 'zod';
import {
  withRevokedAccessKey,
  type AccessKeyEntry,
  type AccessKeys,
} from '../../domain/security/access-key.ts';
import { codedFailure } from '../coded-failure.ts';
import { changePrivateFile, readPrivateFile } from '../private-file.ts';

const format = 'holdfast-access-keys/1';
const place = { kind: 'file of access keys', renewWith: 'holdfast access rotate' };

const StoredKey = z.strictObject({
  id: z.string().min(1),
  holder: z.string().min(1),
  publicKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  scope: z.strictObject({ environments: z.array(z.string()), actions: z.array(z.string()) }),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().exactOptional(),
});

const KeyFile = z.strictObject({ format: z.literal(format), keys: z.array(StoredKey) });

/** Access keys in a file, which is read for each question: a revoked key is refused at once. */
export const createFilesystemAccessKeys = (file: string): AccessKeys => {
  const where = { ...place, file };
  const read = async (): Promise<AccessKeyEntry[]> => parse(file, await readPrivateFile(where));
  const change = async (
    id: string,
    changed: (keys: readonly AccessKeyEntry[]) => AccessKeyEntry[] | undefined,
  ): Promise<boolean> =>
    changePrivateFile(where, (text) => {
      const keys = parse(file, text);
      const next = keys.some((key) => key.id === id) ? changed(keys) : undefined;
      return { text: textOf(next ?? keys), outcome: next !== undefined };
    });
  return {
    find: async (id) => (await read()).find((key) => key.id === id),
    list: async () => (await read()).reverse(),
    add: async (entry) =>
      changePrivateFile(where, (text) => ({
        text: textOf([...parse(file, text), entry]),
        outcome: undefined,
      })),
    revoke: async (id, at) => change(id, (keys) => withRevokedAccessKey(keys, { id, at })),
    endAt: async (id, at) =>
      change(id, (keys) =>
        keys.map((key) => (key.id === id && key.expiresAt > at ? { ...key, expiresAt: at } : key)),
      ),
  };
};

const textOf = (keys: readonly AccessKeyEntry[]): string =>
  `${JSON.stringify({ format, keys }, null, 2)}\n`;

const parse = (file: string, text: string | undefined): AccessKeyEntry[] => {
  if (text === undefined) return [];
  try {
    return KeyFile.parse(JSON.parse(text)).keys;
  } catch {
    throw codedFailure({
      code: 'CONFIGURATION_INVALID',
      message: `The file of access keys ${file} cannot be used: it is not what \`holdfast access create\` wrote. Nobody is let in.`,
      next: 'Put back the copy of it, or remove it and make the keys anew.',
      subject: file,
    });
  }
};
