import type { PermissionQuestion } from '../../domain/security/permission.ts';

export const mostNamed = 3;

/** Whom to ask instead, where that is told, and the command that tells more; for someone who was refused. */
export const adviceFor = (
  people: readonly string[] | undefined,
  question: PermissionQuestion,
): string => {
  const check = `\`${['holdfast', 'access', 'check', ...argumentsFor(question)].join(' ')}\``;
  if (people === undefined) return `Ask someone who may; ${check} tells who that is.`;
  if (people.length === 0) return `Nobody of the directory may; ${check} asks again.`;
  const named = people.slice(0, mostNamed).join(', ');
  const more = people.length > mostNamed ? ' or others' : '';
  return `Ask ${named}${more}, who may; ${check} tells why.`;
};

const argumentsFor = ({ action, environment, service, access }: PermissionQuestion): string[] => {
  if (access === undefined) return [action, '-e', environment, '--service', service];
  const { users, groups, isBreakGlass } = access;
  return [
    ...[action, '-e', shellWord(environment), '--service', shellWord(service)],
    ...(users.length === 0 ? [] : ['--for', ...users.map(shellWord)]),
    ...(groups.length === 0 ? [] : ['--for-groups', ...groups.map(shellWord)]),
    ...(isBreakGlass ? ['--break-glass'] : []),
  ];
};

/** Groups may have names with blanks in them, and all environments are `*`. */
const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
