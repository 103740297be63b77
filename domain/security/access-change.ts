import { holderName, type GrantHolder, type GrantPlace } from './access-grant.ts';
import { everywhere, type PermissionQuestion } from './permission.ts';

/** A grant as somebody asks for it. */
export type AskedGrant = GrantPlace & { forMs?: number | undefined };

/** A change of access as somebody asks for it. */
export interface AccessChange {
  change: string;
  requestedBy: { actor: string; reason: string };
  give: readonly AskedGrant[];
  remove: readonly GrantPlace[];
  /** Taken by a responder at once, to be reviewed afterwards. */
  isBreakGlass: boolean;
  /** Nothing changes: somebody confirms that what is given is right. */
  isCertification: boolean;
}

/** As the input of a run has it. */
export interface AccessChangeInput {
  change: string;
  requestedBy: { actor: string; reason: string };
  give: readonly InputGrant[];
  remove: readonly InputGrant[];
  breakGlass: boolean;
  certify: boolean;
}

interface InputGrant {
  role: string;
  user?: string | undefined;
  group?: string | undefined;
  environments?: readonly string[] | undefined;
  forMs?: number | undefined;
}

export const changeOf = (input: AccessChangeInput): AccessChange => ({
  change: input.change,
  requestedBy: { actor: input.requestedBy.actor, reason: input.requestedBy.reason },
  give: input.give.map((grant) => ({
    ...placeOf(grant),
    ...(grant.forMs === undefined ? {} : { forMs: grant.forMs }),
  })),
  remove: input.remove.map(placeOf),
  isBreakGlass: input.breakGlass,
  isCertification: input.certify,
});

const placeOf = ({ role, user, group = '', environments }: InputGrant): GrantPlace => ({
  role,
  holder: user === undefined ? { group } : { user },
  ...(environments === undefined ? {} : { environments }),
});

/** What a policy is asked about any verb of a change. */
export const accessQuestion = (change: AccessChange): Omit<PermissionQuestion, 'action'> => {
  const holders = [...change.give, ...change.remove].map(({ holder }) => holder);
  return {
    environment: environmentOf(change),
    service: change.change,
    requestedBy: change.requestedBy.actor,
    access: {
      users: named(holders, 'user'),
      groups: named(holders, 'group'),
      isBreakGlass: change.isBreakGlass,
    },
  };
};

/** The one environment that all of it is for; where there is none such, only roles for all count. */
const environmentOf = ({ give, remove }: AccessChange): string => {
  const named = new Set(
    [...give, ...remove].flatMap((grant) => grant.environments ?? [everywhere]),
  );
  const [only = everywhere] = named;
  return named.size === 1 ? only : everywhere;
};

const named = (holders: readonly GrantHolder[], kind: 'user' | 'group'): string[] => {
  const names = holders
    .filter((holder) => kind in holder)
    .map((holder) => ('user' in holder ? holder.user : holder.group));
  return [...new Set(names)].sort();
};

/** One line for lists of runs: `operator for ana@example.com, −releaser of ana@example.com`. */
export const describeChange = ({ give, remove, isCertification }: AccessChange): string => {
  if (isCertification) return 'certification of all roles';
  const given = give.map(({ role, holder }) => `${role} for ${holderName(holder)}`);
  const removed = remove.map(({ role, holder }) => `−${role} of ${holderName(holder)}`);
  return [...given, ...removed].join(', ');
};
