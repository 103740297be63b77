import path from 'node:path';
import {
  codecTokensBeside,
  createKeyRingFile,
  issueCodecToken,
  listCodecTokens,
  listKeys,
  revokeInKeyRingFile,
  rotateKeyRingFile,
  withdrawCodecToken,
} from '../../activities/encryption/index.ts';
import type { TokenEntry } from '../../activities/encryption/port.ts';
import type { KeyEntry } from '../../domain/security/key-ring.ts';
import { toOpsError } from '../error-translation.ts';
import { OpsError } from '../ops-error.ts';
import { audited, type KeyChange } from './audit-key-changes.ts';
import type { CommandContext } from './command-context.ts';
import { parseDurationFlag } from './duration-flag.ts';
import type { KeysFlags, TokenFlags } from './keys-verb.ts';
import { paintTable, piece } from './paint.ts';
import { canvasOf, printJson, printLine, say, type Terminal } from './terminal.ts';

export const createKeys = async ({ terminal }: CommandContext, flags: KeysFlags): Promise<void> => {
  const ring = ringOf(flags);
  const change: KeyChange = { action: 'keys.create', subject: { ring } };
  const key = await audited(terminal, change, async () =>
    coded(createKeyRingFile(ring, new Date())),
  );
  tellKey(terminal, { ring, key }, flags);
  say(terminal, `Next: export HOLDFAST_KEY_RING=${ring}`);
  say(terminal, 'Set it for every worker and every command, and keep a copy of the file apart.');
};

export const rotateKeys = async ({ terminal }: CommandContext, flags: KeysFlags): Promise<void> => {
  const ring = ringOf(flags);
  const change: KeyChange = { action: 'keys.rotate', subject: { ring } };
  const key = await audited(terminal, change, async () =>
    coded(rotateKeyRingFile(ring, new Date())),
  );
  tellKey(terminal, { ring, key }, flags);
  say(terminal, 'Next: give this file to every worker and start it again; only then it writes.');
};

export const revokeKey = async (
  { terminal }: CommandContext,
  id: string,
  flags: KeysFlags,
): Promise<void> => {
  const ring = ringOf(flags);
  const change: KeyChange = { action: 'keys.revoke', subject: { ring, key: id } };
  const key = await audited(terminal, change, async () => coded(revokeInKeyRingFile(ring, id)));
  tellKey(terminal, { ring, key }, flags);
  say(terminal, 'Next: start every worker again; until then it still opens what this key sealed.');
};

export const showKeys = async ({ terminal }: CommandContext, flags: TokenFlags): Promise<void> => {
  const ring = ringOf(flags);
  const keys = await coded(listKeys(ring));
  const tokens = await coded(listCodecTokens(tokensOf(flags, ring)));
  if (flags.json === true) {
    printJson(terminal, { ring, keys, tokens });
    return;
  }
  printTable(terminal, ['key', 'state', 'created'], keys.map(keyRow));
  if (tokens.length === 0) return;
  printLine(terminal, '');
  printTable(terminal, ['token', 'for', 'expires'], tokens.map(tokenRow));
};

/** The token is all of the standard output, so that it can be put into a variable. */
export const changeTokens = async (
  { terminal }: CommandContext,
  flags: TokenFlags,
): Promise<void> => {
  const file = tokensOf(flags, ringOf(flags));
  const { withdraw } = flags;
  if (withdraw !== undefined) {
    const change: KeyChange = { action: 'keys.withdraw', subject: { file, token: withdraw } };
    const entry = await audited(terminal, change, async () =>
      coded(withdrawCodecToken(file, withdraw)),
    );
    if (flags.json === true) printJson(terminal, { entry });
    else printLine(terminal, `${entry.id} of ${entry.holder}: withdrawn`);
    return;
  }
  const request = tokenRequest(flags);
  const change = {
    action: 'keys.token',
    subject: { file },
    // The file of the tokens says who it is for.
    result: ({ entry }: { entry: TokenEntry }) => `made ${entry.id}`,
  } as const;
  const issued = await audited(terminal, change, async () =>
    coded(issueCodecToken(file, { ...request, at: new Date() })),
  );
  if (flags.json === true) {
    printJson(terminal, issued);
    return;
  }
  printLine(terminal, issued.token);
  say(terminal, `${issued.entry.id}, until ${issued.entry.expiresAt}; it is not shown again.`);
  say(terminal, 'Next: open the address of the codec endpoint in the browser and sign in with it.');
};

const tokenRequest = (flags: TokenFlags): { holder: string; lifetimeMs: number } => {
  const lifetimeMs = parseDurationFlag('expires', flags.expires) ?? 0;
  if (flags.for === undefined || flags.for.trim() === '') {
    throw new OpsError({
      code: 'INVALID_INPUT',
      message: '--for: is missing. No token was made.',
      next: 'Name who it is for: `holdfast keys token --for NAME`.',
      subject: '--for',
    });
  }
  if (lifetimeMs > 0) return { holder: flags.for.trim(), lifetimeMs };
  throw new OpsError({
    code: 'INVALID_INPUT',
    message: '--expires: must be more than nothing. No token was made.',
    subject: '--expires',
  });
};

/** @throws CONFIGURATION_INVALID */
const ringOf = ({ ring }: KeysFlags): string => {
  if (ring !== undefined && ring !== '') return path.resolve(ring);
  throw new OpsError({
    code: 'CONFIGURATION_INVALID',
    message: 'No key ring is named. Nothing was done.',
    next: 'Name its file with --ring PATH, or set HOLDFAST_KEY_RING.',
    subject: 'HOLDFAST_KEY_RING',
  });
};

const tokensOf = ({ tokens }: TokenFlags, ring: string): string =>
  tokens === undefined || tokens === '' ? codecTokensBeside(ring) : path.resolve(tokens);

const coded = async <Outcome>(call: Promise<Outcome>): Promise<Outcome> =>
  call.catch((error: unknown) => {
    throw toOpsError(error);
  });

const tellKey = (
  terminal: Terminal,
  { ring, key }: { ring: string; key: KeyEntry },
  { json }: KeysFlags,
): void => {
  if (json === true) printJson(terminal, { ring, key });
  else printLine(terminal, `${key.id}: ${key.state}`);
};

const keyRow = ({ id, state, createdAt }: KeyEntry): string[] => [id, state, createdAt];

const tokenRow = ({ id, holder, expiresAt }: TokenEntry): string[] => [id, holder, expiresAt];

const printTable = (
  terminal: Terminal,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): void => {
  const canvas = canvasOf(terminal, terminal.stdout);
  const pieces = [
    titles.map((title) => piece(title, 'faint')),
    ...rows.map((row) => row.map((text) => piece(text))),
  ];
  for (const line of paintTable(pieces, canvas)) printLine(terminal, line);
};
