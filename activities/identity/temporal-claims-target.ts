import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import {
  describeMembership,
  type AccessTarget,
  type Membership,
  type MembershipChange,
  type TargetRule,
} from '../../domain/security/access-target.ts';
import { codedErrorOf, codedFailure } from '../coded-failure.ts';
import { changePrivateFile, lockOf, readPrivateFile } from '../private-file.ts';

export interface TemporalClaimsTargetDeps {
  /** `{ "ana@example.com": ["shop:read"] }`, readable by its owner alone. */
  claimsFile: string;
  /** Permissions that none of our roles comes to are not ours: they stay as they are. */
  rights: TargetRule['rights'];
}

/** The permissions of each user. */
type Claims = ReadonlyMap<string, readonly string[]>;

const none: Claims = new Map();

/** How long another process that writes the file is waited for. */
const mostTries = 40;
const pauseMs = 50;

const place = { kind: 'file of Temporal permissions', renewWith: 'holdfast access temporal-key' };

const ClaimsFile = z.record(z.string().min(1), z.array(z.string().min(1)));

/**
 * Permissions in Temporal namespaces, in a file from which `holdfast access temporal-token` makes
 * tokens. The Temporal server keeps no permissions itself: it believes the tokens.
 */
export const createTemporalClaimsTarget = ({
  claimsFile,
  rights,
}: TemporalClaimsTargetDeps): AccessTarget => {
  const managed = new Set(Object.values(rights).flat());
  return {
    read: async () =>
      asTarget(claimsFile, async () =>
        membershipsIn((await readTemporalClaims(claimsFile)) ?? none).filter(({ right }) =>
          managed.has(right),
        ),
      ),
    change: async (change) => {
      const asked = ofUsers(change, claimsFile);
      await asTarget(claimsFile, async () => writeChange(claimsFile, asked));
    },
  };
};

/**
 * What each user may; undefined if there is no file.
 * @throws ACCESS_TARGET_REFUSED if it is another file; CONFIGURATION_INVALID if others can read it
 */
export const readTemporalClaims = async (file: string): Promise<Claims | undefined> => {
  const text = await readPrivateFile({ ...place, file });
  return text === undefined ? undefined : parse(file, text);
};

const membershipsIn = (claims: Claims): Membership[] =>
  [...claims].flatMap(([member, permissions]) =>
    permissions.map((right) => ({ member, kind: 'user' as const, right })),
  );

const writeChange = async (file: string, change: MembershipChange): Promise<void> => {
  // What is so already is not written again.
  if (!isNews((await readTemporalClaims(file)) ?? none, change)) return;
  await changePrivateFile({ ...place, file }, (text) => ({
    text: textOf(changed(text === undefined ? none : parse(file, text), change)),
    outcome: undefined,
  }));
};

const isNews = (claims: Claims, { remove, give }: MembershipChange): boolean => {
  const has = ({ member, right }: Membership): boolean =>
    claims.get(member)?.includes(right) ?? false;
  return remove.some(has) || !give.every(has);
};

const changed = (claims: Claims, { remove, give }: MembershipChange): Claims => {
  const next = new Map([...claims].map(([user, permissions]) => [user, new Set(permissions)]));
  for (const { member, right } of remove) next.get(member)?.delete(right);
  for (const { member, right } of give) {
    next.set(member, (next.get(member) ?? new Set()).add(right));
  }
  return new Map([...next].map(([user, permissions]) => [user, [...permissions]]));
};

const textOf = (claims: Claims): string => {
  const held = [...claims].filter(([, permissions]) => permissions.length > 0);
  const sorted = held
    .map(([user, permissions]) => [user, permissions.toSorted()] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`;
};

const parse = (file: string, text: string): Claims => {
  try {
    return new Map(Object.entries(ClaimsFile.parse(JSON.parse(text))));
  } catch {
    throw refused(
      `The file of Temporal permissions ${file} cannot be used: it is not { "user": ["namespace:role"] }. Nothing was written.`,
      'Put back a copy of it, or remove it: the next change writes what the roles say.',
      file,
    );
  }
};

const refused = (message: string, next: string, subject: string): Error =>
  codedFailure({ code: 'ACCESS_TARGET_REFUSED', message, next, subject });

/** A group that has the name of a user must not get that user anything, nor take it away. */
const ofUsers = ({ remove, give }: MembershipChange, file: string): MembershipChange => {
  const group = give.find(({ kind }) => kind === 'group');
  if (group === undefined) return { remove: remove.filter(({ kind }) => kind === 'user'), give };
  throw refused(
    `Tokens for the Temporal server know users only, and cannot take ${describeMembership(group)}. Nothing was written.`,
    'Report it: members of groups are given their permissions one by one.',
    file,
  );
};

/** Works with the file, waits while another process changes it, and fails as a target fails. */
const asTarget = async <Result>(file: string, work: () => Promise<Result>): Promise<Result> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const isHeld = codedErrorOf(error)?.subject === lockOf(file);
      if (!isHeld || tries >= mostTries) throw toTargetFailure(error, file);
    }
    await delay(pauseMs);
  }
};

/** Of the system, when this user may not use the file, or it is something else. */
const noRights = /^(?:EACCES|EPERM|EROFS|EISDIR|ENOTDIR|ELOOP|ENAMETOOLONG)$/;

const toTargetFailure = (error: unknown, file: string): unknown => {
  const coded = codedErrorOf(error);
  if (coded?.subject === lockOf(file)) {
    return unreachable(
      `Another process changes the file of Temporal permissions ${file}; nothing was written.`,
      `Nothing, it is tried again; if no process changes it, remove ${lockOf(file)}.`,
      file,
    );
  }
  if (coded?.code === 'CONFIGURATION_INVALID') {
    return refused(coded.message, `Give the user of the workers ${file}, with mode 600.`, file);
  }
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  if (coded !== undefined || typeof code !== 'string') return error;
  const text = `The file of Temporal permissions ${file} cannot be changed: ${String(message)}.`;
  return noRights.test(code)
    ? refused(text, 'Let the user of the workers write the folder of the file.', file)
    : unreachable(text, 'See that the disk can be written, and has room.', file);
};

const unreachable = (message: string, next: string, subject: string): Error =>
  codedFailure({ code: 'ACCESS_TARGET_UNREACHABLE', message, next, subject });
