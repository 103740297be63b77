import type { AccessGate } from '../../activities/identity/index.ts';
import { accessActions } from '../../contracts/access-actions.ts';
import { errors } from '../../contracts/errors.ts';
import { everywhere, type PermissionQuestion } from '../../domain/security/permission.ts';
import { toOpsError } from '../error-translation.ts';
import { OpsError } from '../ops-error.ts';
import type { CheckFlags } from './access-verb.ts';
import type { CommandContext } from './command-context.ts';
import { withAccess } from './open-access.ts';
import { requireEnvironment } from './required-environment.ts';
import { printJson, printLine, say } from './terminal.ts';

/** `holdfast access check` */
export const checkAccess = async (
  context: CommandContext,
  action: string | undefined,
  flags: CheckFlags,
): Promise<void> => {
  await withAccess(flags, async (gate) => {
    if (action === undefined) {
      const { users, grants } = await gate.settings();
      say(
        context.terminal,
        `The access configuration can be used: ${String(users.size)} users, ${String(grants.length)} grants.`,
      );
      return;
    }
    const question = questionOf(action, flags);
    if (!(await gate.knowsAllGrants())) {
      say(
        context.terminal,
        'Roles that changes of access gave are not known here, for DATABASE_URL is not set.',
      );
    }
    if (flags.as === undefined) await tellWhoMay(context, { gate, question, flags });
    else await tellWhether(context, { gate, question, flags });
  });
};

interface Asked {
  gate: AccessGate;
  question: PermissionQuestion;
  flags: CheckFlags;
}

const tellWhoMay = async (
  { terminal, end }: CommandContext,
  { gate, question, flags }: Asked,
): Promise<void> => {
  const people = await gate.whoMay(question, Date.now());
  if (flags.json === true) printJson(terminal, { ...question, people });
  else for (const name of people) printLine(terminal, name);
  if (people.length > 0) return;
  say(terminal, 'Nobody of the directory may.');
  end(errors.PERMISSION_DENIED.exitCode);
};

const tellWhether = async (
  { terminal, end }: CommandContext,
  { gate, question, flags }: Asked,
): Promise<void> => {
  const person = await gate.personNamed(flags.as ?? '');
  const answer = await gate.permit(person, question, Date.now()).then(
    ({ decidedBy }) => ({ isAllowed: true, why: `allowed by ${decidedBy.join(', ')}` }),
    (error: unknown) => {
      const { code, message, next } = toOpsError(error);
      if (code !== 'PERMISSION_DENIED') throw error;
      return { isAllowed: false, why: `${message.replace(' Nothing was changed.', '')} ${next}` };
    },
  );
  if (flags.json === true) printJson(terminal, { ...question, as: person.name, ...answer });
  else printLine(terminal, answer.why);
  if (!answer.isAllowed) end(errors.PERMISSION_DENIED.exitCode);
};

/** @throws INVALID_INPUT */
const questionOf = (action: string, flags: CheckFlags): PermissionQuestion => {
  const about = accessActions.find(({ id }) => id === action)?.about;
  if (about === undefined) {
    throw new OpsError({
      code: 'INVALID_INPUT',
      message: `There is no action ${action}. Nothing was asked.`,
      next: `Actions are ${accessActions.map(({ id }) => id).join(', ')}.`,
      subject: action,
    });
  }
  if (flags.service === undefined) {
    throw new OpsError({
      code: 'INVALID_INPUT',
      message: '--service: is missing. Nothing was asked.',
      subject: '--service',
    });
  }
  return {
    action,
    service: flags.service,
    ...requesterOf(action, flags),
    ...(about === 'Access'
      ? { environment: environmentOr(everywhere, flags), access: accessOf(flags) }
      : { environment: requireEnvironment(flags.environment) }),
  };
};

/** An empty variable names no environment. */
const environmentOr = (otherwise: string, { environment = '' }: CheckFlags): string =>
  environment === '' ? otherwise : environment;

const accessOf = ({ for: users = [], forGroups = [], breakGlass = false }: CheckFlags) => ({
  users,
  groups: forGroups,
  isBreakGlass: breakGlass,
});

/** Who starts a release or a change asks for it; of other actions it is only known where it is said. */
const requesterOf = (action: string, { requestedBy, as }: CheckFlags) => {
  const requester = requestedBy ?? (action.endsWith('.start') ? as : anyoneElse);
  return requester === undefined ? {} : { requestedBy: requester };
};

const anyoneElse = 'someone else';
