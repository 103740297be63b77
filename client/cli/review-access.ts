import type { AccessGate } from '../../activities/identity/index.ts';
import type { AccessGrant } from '../../domain/security/access-grant.ts';
import { isActive } from '../../domain/security/access-grant.ts';
import {
  effectiveRoles,
  heldRolesOf,
  type HeldRole,
  type RolesInWords,
} from '../../domain/security/effective-roles.ts';
import type { Person } from '../../domain/security/permission.ts';
import { OpsError } from '../ops-error.ts';
import type { ReviewFlags } from './access-change-verbs.ts';
import type { CommandContext } from './command-context.ts';
import { withAccess } from './open-access.ts';
import { paintTable, piece, type Canvas, type Piece } from './paint.ts';
import { canvasOf, printJson, printLine, say } from './terminal.ts';

/** What is known of everybody's roles now. */
export interface RoleReview {
  people: (RolesInWords & { note: string })[];
  /** Roles that end within a day, of each person in the same words. */
  endingSoon: RolesInWords[];
  /** False where roles were given that this side cannot read. */
  isComplete: boolean;
}

const soonMs = 86_400_000;

/** `holdfast access review` */
export const reviewAccess = async (
  { terminal }: CommandContext,
  flags: ReviewFlags,
): Promise<void> => {
  const all = await withAccess(flags, async (gate) => reviewOf(gate, Date.now()));
  const review = flags.user === undefined ? all : onlyOf(all, flags.user);
  if (!review.isComplete) {
    say(
      terminal,
      'Roles that changes of access gave are missing here: set DATABASE_URL to read them.',
      'bad',
    );
  }
  if (flags.json === true) {
    printJson(terminal, review);
    return;
  }
  for (const line of renderReview(review, canvasOf(terminal, terminal.stdout))) {
    printLine(terminal, line);
  }
};

const reviewOf = async (gate: AccessGate, nowMs: number): Promise<RoleReview> => {
  const { users, grants: named, managed } = await gate.settings();
  const isComplete = await gate.knowsAllGrants();
  const isReadable = managed !== undefined && isComplete;
  const given = isReadable ? (await (await gate.grants()).current()).grants : [];
  return reviewRoles({ directory: [...users.values()], named, given, isComplete }, nowMs);
};

/** What a review is made of. */
export interface ReviewSources {
  directory: readonly (Person & { isDisabled: boolean })[];
  /** Of access.yaml. */
  named: readonly HeldRole[];
  /** Of changes of access, also those that have ended. */
  given: readonly AccessGrant[];
  isComplete: boolean;
}

export const reviewRoles = (
  { directory, named, given, isComplete }: ReviewSources,
  nowMs: number,
): RoleReview => {
  const active = heldRolesOf(given.filter((grant) => isActive(grant, nowMs)));
  const grants = [...named, ...active];
  const others = holdersBeside(directory, grants);
  const people = [...directory, ...others];
  const ending = active.filter(({ untilMs }) => untilMs !== undefined && untilMs - nowMs <= soonMs);
  const notes = new Map([
    ...directory
      .filter(({ isDisabled }) => isDisabled)
      .map(({ name }) => [name, 'disabled'] as const),
    ...others.map(({ name, note }) => [name, note] as const),
  ]);
  return {
    people: effectiveRoles(people, grants).map((one) => ({
      ...one,
      note: notes.get(one.person) ?? '',
    })),
    endingSoon: effectiveRoles(people, ending).filter(({ roles }) => roles.length > 0),
    isComplete,
  };
};

/** Whoever signs in with a token need not be in the directory, but may hold roles all the same. */
const holdersBeside = (
  directory: readonly Person[],
  grants: readonly HeldRole[],
): (Person & { note: string })[] => {
  const known = new Set(directory.map(({ name }) => name));
  const joined = new Set(directory.flatMap(({ groups }) => groups));
  const users = new Set(grants.flatMap((grant) => grant.users).filter((name) => !known.has(name)));
  const groups = new Set(
    grants.flatMap((grant) => grant.groups).filter((group) => !joined.has(group)),
  );
  return [
    ...[...users].map((name) => ({
      ...{ name, kind: 'person' as const, groups: [] },
      note: 'not in the directory',
    })),
    ...[...groups].map((group) => ({
      ...{ name: `group ${group}`, kind: 'person' as const, groups: [group] },
      note: 'nobody of the directory',
    })),
  ];
};

const onlyOf = (review: RoleReview, name: string): RoleReview => {
  const people = review.people.filter(({ person }) => person === name);
  if (people.length === 0) {
    throw new OpsError({
      code: 'INVALID_INPUT',
      message: `${name} is not in the directory and holds no role. Nothing was changed.`,
      next: 'Read the names with `holdfast access review`.',
      subject: name,
    });
  }
  const endingSoon = review.endingSoon.filter(({ person }) => person === name);
  return { ...review, people, endingSoon };
};

/** One line for each role; who has none is there too. */
export const renderReview = (review: RoleReview, canvas: Canvas): string[] => {
  const head = ['person', 'role', ''].map((title) => piece(title, 'faint'));
  return paintTable([head, ...review.people.flatMap((one) => rowsOf(one, review))], canvas);
};

const rowsOf = (
  { person, roles, note }: RoleReview['people'][number],
  { endingSoon }: RoleReview,
): Piece[][] => {
  const ending = endingSoon.find((one) => one.person === person)?.roles ?? [];
  const first = (index: number) => piece(index === 0 ? person : '');
  if (roles.length === 0) return [[piece(person), piece('none', 'faint'), piece(note, 'faint')]];
  return roles.map((role, index) => {
    const isEnding = ending.includes(role);
    const remarks = [isEnding ? 'ends soon' : '', index === 0 ? note : ''].filter(Boolean);
    return [
      first(index),
      piece(role, isEnding ? 'busy' : 'plain'),
      piece(remarks.join(', '), isEnding ? 'busy' : 'faint'),
    ];
  });
};
