import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { codedFailure } from '../coded-failure.ts';
import type { CodecTokens, TokenEntry } from './port.ts';
import { changePrivateFile, readPrivateFile } from '../private-file.ts';

const format = 'holdfast-codec-tokens/1';
const kind = 'token file';
const renewWith = 'holdfast keys token';
const secretBytes = 32;

const StoredToken = z.strictObject({
  id: z.string(),
  holder: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const TokenFile = z.strictObject({ format: z.literal(format), tokens: z.array(StoredToken) });

type StoredToken = z.output<typeof StoredToken>;

/** Where the tokens of a key ring are unless another place is named. */
export const codecTokensBeside = (keyRingFile: string): string =>
  path.join(path.dirname(keyRingFile), 'codec-tokens.json');

/** One hash without salt is enough: the secret has 256 random bits, so that nobody can guess it. */
const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

const parseTokens = (file: string, text: string | undefined): StoredToken[] => {
  if (text === undefined) return [];
  try {
    return TokenFile.parse(JSON.parse(text)).tokens;
  } catch {
    throw codedFailure({
      code: 'CONFIGURATION_INVALID',
      message: `The token file ${file} cannot be used: it is not what \`holdfast keys token\` wrote.`,
      next: 'Put back the copy of it, or remove it and make the tokens anew.',
      subject: file,
    });
  }
};

const textOf = (tokens: readonly StoredToken[]): string =>
  `${JSON.stringify({ format, tokens }, null, 2)}\n`;

const entryOf = ({ sha256: _hash, ...entry }: StoredToken): TokenEntry => entry;

/** Tokens as hashes in a file, which is read for each request: a new one is valid at once. */
export const createFilesystemCodecTokens = (file: string): CodecTokens => ({
  async verify(token, atMs) {
    const tokens = parseTokens(file, await readPrivateFile({ file, kind, renewWith }));
    const presented = hashOf(token);
    // All of them are compared, so that the time does not tell which ones are close.
    const matching = tokens.filter(({ sha256 }) =>
      timingSafeEqual(Buffer.from(sha256, 'hex'), presented),
    );
    const [found] = matching;
    if (found === undefined || Date.parse(found.expiresAt) <= atMs) return undefined;
    return entryOf(found);
  },
});

export interface TokenRequest {
  holder: string;
  at: Date;
  lifetimeMs: number;
}

/** A new token, which is told this once; the file keeps its hash. */
export const issueCodecToken = async (
  file: string,
  { holder, at, lifetimeMs }: TokenRequest,
): Promise<{ token: string; entry: TokenEntry }> =>
  changePrivateFile({ file, kind, renewWith }, (text) => {
    const id = `t-${randomBytes(4).toString('hex')}`;
    const token = `holdfast_${randomBytes(secretBytes).toString('base64url')}`;
    const stored: StoredToken = {
      id,
      holder,
      createdAt: at.toISOString(),
      expiresAt: new Date(at.getTime() + lifetimeMs).toISOString(),
      sha256: hashOf(token).toString('hex'),
    };
    const live = parseTokens(file, text).filter(
      ({ expiresAt }) => Date.parse(expiresAt) > at.getTime(),
    );
    return { text: textOf([...live, stored]), outcome: { token, entry: entryOf(stored) } };
  });

/** Makes a token void at once. @throws INVALID_INPUT if there is none of this id */
export const withdrawCodecToken = async (file: string, id: string): Promise<TokenEntry> =>
  changePrivateFile({ file, kind, renewWith }, (text) => {
    const tokens = parseTokens(file, text);
    const named = tokens.find((token) => token.id === id);
    if (named === undefined) {
      throw codedFailure({
        code: 'INVALID_INPUT',
        message: `There is no token ${id} in ${file}; nothing was changed.`,
        next: 'Read the ids with `holdfast keys list`.',
        subject: id,
      });
    }
    return { text: textOf(tokens.filter((token) => token !== named)), outcome: entryOf(named) };
  });

/** All tokens, expired ones too, without their hashes. */
export const listCodecTokens = async (file: string): Promise<TokenEntry[]> =>
  parseTokens(file, await readPrivateFile({ file, kind, renewWith })).map(entryOf);
