import path from 'node:path';
import { makeAccessKey, makeSealingKey, type AccessGate } from '../../activities/identity/index.ts';
import type { AccessKeyEntry, KeyScope } from '../../domain/security/access-key.ts';
import { toOpsError } from '../error-translation.ts';
import { OpsError } from '../ops-error.ts';
import type { AccessFlags } from './access-options.ts';
import type { CreateFlags, RotateFlags } from './access-verb.ts';
import type { CommandContext } from './command-context.ts';
import { parseDurationFlag } from './duration-flag.ts';
import { withAccess } from './open-access.ts';
import { paintTable, piece } from './paint.ts';
import { canvasOf, printJson, printLine, say, type Terminal } from './terminal.ts';

/** `holdfast access create`: the key is all of the standard output, so that it can go into a file. */
export const createAccessKey = async (
  { terminal }: CommandContext,
  flags: CreateFlags,
): Promise<void> => {
  const lifetimeMs = requiredMs('expires', flags.expires);
  const scope = { environments: flags.environments ?? [], actions: flags.actions ?? [] };
  await withAccess(flags, async (gate) => {
    // A key for someone whom nobody knows would be good for nothing.
    await gate.personNamed(flags.for);
    tell(terminal, await addKey(gate, { holder: flags.for, scope, lifetimeMs }), flags);
  });
};

/** `holdfast access rotate` */
export const rotateAccessKey = async (
  { terminal }: CommandContext,
  id: string,
  flags: RotateFlags,
): Promise<void> => {
  const lifetimeMs = requiredMs('expires', flags.expires);
  const overlapMs = parseDurationFlag('overlap', flags.overlap) ?? 0;
  await withAccess(flags, async (gate) => {
    const keys = await gate.keys();
    const old = await keys.find(id);
    if (old === undefined) throw unknownKey(id);
    await gate.personNamed(old.holder);
    const made = await addKey(gate, { holder: old.holder, scope: old.scope, lifetimeMs });
    const endsAt = new Date(Date.now() + overlapMs).toISOString();
    await keys.endAt(id, endsAt);
    tell(terminal, made, flags);
    say(terminal, `${id} ends at ${endsAt}, or before if it would have.`);
  });
};

/** `holdfast access revoke` */
export const revokeAccessKey = async (
  { terminal }: CommandContext,
  id: string,
  flags: AccessFlags,
): Promise<void> => {
  const isKnown = await withAccess(flags, async (gate) =>
    (await gate.keys()).revoke(id, new Date().toISOString()),
  );
  if (!isKnown) throw unknownKey(id);
  if (flags.json === true) printJson(terminal, { id, state: 'revoked' });
  else printLine(terminal, `${id}: revoked; workers refuse it from now on`);
};

/** `holdfast access list` */
export const listAccessKeys = async (
  { terminal }: CommandContext,
  flags: AccessFlags,
): Promise<void> => {
  const keys = await withAccess(flags, async (gate) => (await gate.keys()).list());
  if (flags.json === true) {
    printJson(terminal, { keys });
    return;
  }
  const rows = [
    ['key', 'for', 'state', 'until', 'only'].map((title) => piece(title, 'faint')),
    ...keys.map((key) => keyRow(key, Date.now()).map((text) => piece(text))),
  ];
  for (const line of paintTable(rows, canvasOf(terminal, terminal.stdout))) {
    printLine(terminal, line);
  }
};

/** `holdfast access sealing-key` */
export const createSealingKey = async (
  { terminal }: CommandContext,
  file: string,
  flags: AccessFlags,
): Promise<void> => {
  const target = path.resolve(file);
  const publicKey = await makeSealingKey(target).catch((error: unknown) => {
    throw toOpsError(error);
  });
  if (flags.json === true) {
    printJson(terminal, { publicKey, privateKeyFile: target });
    return;
  }
  printLine(terminal, `sealing: { publicKey: ${publicKey}, privateKeyFile: ${target} }`);
  say(terminal, 'Next: put this line into access.yaml, and give the file to the workers alone.');
};

interface NewKey {
  holder: string;
  scope: KeyScope;
  lifetimeMs: number;
}

export const addKey = async (
  gate: AccessGate,
  { holder, scope, lifetimeMs }: NewKey,
): Promise<{ text: string; entry: AccessKeyEntry }> => {
  const { text, id, publicKey } = makeAccessKey(holder);
  const now = Date.now();
  const entry: AccessKeyEntry = {
    ...{ id, holder, publicKey, scope },
    createdAt: new Date(now).toISOString(),
    expiresAt: new Date(now + lifetimeMs).toISOString(),
  };
  await (await gate.keys()).add(entry);
  return { text, entry };
};

const tell = (
  terminal: Terminal,
  { text, entry }: { text: string; entry: AccessKeyEntry },
  { json }: AccessFlags,
): void => {
  if (json === true) {
    printJson(terminal, { key: text, entry });
    return;
  }
  printLine(terminal, text);
  say(terminal, `${entry.id} of ${entry.holder}, until ${entry.expiresAt}; it is not shown again.`);
  say(terminal, 'Next: keep it in a file of mode 600, and set HOLDFAST_ACCESS_KEY_FILE to that.');
};

const keyRow = ({ id, holder, revokedAt, expiresAt, scope }: AccessKeyEntry, nowMs: number) => {
  const ended = Date.parse(expiresAt) <= nowMs ? 'expired' : 'good';
  const only = [...scope.environments, ...scope.actions].join(', ');
  return [id, holder, revokedAt === undefined ? ended : 'revoked', expiresAt, only];
};

const requiredMs = (name: string, text: string): number => {
  const lengthMs = parseDurationFlag(name, text) ?? 0;
  if (lengthMs > 0) return lengthMs;
  throw new OpsError({
    code: 'INVALID_INPUT',
    message: `--${name}: must be more than nothing. No key was made.`,
    subject: `--${name}`,
  });
};

const unknownKey = (id: string): OpsError =>
  new OpsError({
    code: 'INVALID_INPUT',
    message: `There is no access key ${id}; nothing was changed.`,
    next: 'Read the ids with `holdfast access list`.',
    subject: id,
  });
