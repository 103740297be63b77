import path from 'node:path';
import { makeTemporalKey, makeTemporalToken } from '../../activities/identity/index.ts';
import { toOpsError } from '../error-translation.ts';
import { OpsError } from '../ops-error.ts';
import type { CommandContext } from './command-context.ts';
import { parseDurationFlag } from './duration-flag.ts';
import type { TemporalTokenFlags } from './temporal-token-verbs.ts';
import { printJson, printLine, say } from './terminal.ts';

/** Nobody can take a token back: who loses a permission keeps it for no longer than this. */
const longestMs = 86_400_000;

/** `holdfast access temporal-key`: the key set is all of the standard output. */
export const createTemporalKey = async (
  { terminal }: CommandContext,
  file: string,
): Promise<void> => {
  const keys = await makeTemporalKey(path.resolve(file)).catch((error: unknown) => {
    throw toOpsError(error);
  });
  printJson(terminal, keys);
  say(
    terminal,
    'Next: name a file or URL with this key set in jwtKeyProvider.keySourceURIs of the server.',
  );
};

/** `holdfast access temporal-token`: the token is all of the standard output. */
export const createTemporalToken = async (
  { terminal }: CommandContext,
  { for: user, claims, key, expires, json }: TemporalTokenFlags,
): Promise<void> => {
  const lifetimeMs = lifetimeOf(expires);
  const files = { claimsFile: path.resolve(claims), keyFile: path.resolve(key) };
  const made = await makeTemporalToken({ user, ...files, lifetimeMs, atMs: Date.now() }).catch(
    (error: unknown) => {
      throw toOpsError(error);
    },
  );
  if (json === true) {
    printJson(terminal, { user, ...made });
    return;
  }
  printLine(terminal, made.token);
  say(terminal, `For ${user} until ${made.expiresAt}: ${made.permissions.join(', ')}.`);
};

const lifetimeOf = (text: string): number => {
  const lifetimeMs = parseDurationFlag('expires', text) ?? 0;
  if (lifetimeMs > 0 && lifetimeMs <= longestMs) return lifetimeMs;
  throw new OpsError({
    code: 'INVALID_INPUT',
    message: '--expires: must be more than nothing, and at most 1d. No token was made.',
    subject: '--expires',
  });
};
