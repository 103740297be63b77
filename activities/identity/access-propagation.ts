import {
  describeMembership,
  membershipChange,
  membershipsFor,
  type AccessTarget,
  type Membership,
  type MembershipChange,
  type TargetRule,
} from '../../domain/security/access-target.ts';
import type { Person, RoleGrant } from '../../domain/security/permission.ts';
import { codedFailure } from '../coded-failure.ts';
import type { AccessTargets } from './port.ts';

export interface ConfiguredTarget {
  rule: TargetRule;
  target: AccessTarget;
}

export interface AccessTargetsDeps {
  /** By name, as they are configured now. */
  targets: () => Promise<ReadonlyMap<string, ConfiguredTarget>>;
  /** What is given now, and to whom. */
  wanted: () => Promise<{ grants: RoleGrant[]; people: Person[] }>;
}

/** Carries what the grants say now into the targets, whatever the change was that led there. */
export const createAccessTargets = ({ targets, wanted }: AccessTargetsDeps): AccessTargets => {
  const changeFor = async ({ rule, target }: ConfiguredTarget): Promise<MembershipChange> => {
    // In this order: what a later change gives meanwhile must not look like something left over.
    const present = await target.read();
    return membershipChange(present, membershipsFor(rule, await wanted()));
  };
  return {
    async reconcile({ target: name }) {
      const known = await targets();
      const configured = known.get(name);
      if (configured === undefined) throw unknownTarget(name, [...known.keys()]);
      const { remove, give } = await changeFor(configured);
      // By two calls: who cannot be given something must not keep others from losing theirs.
      if (remove.length > 0) await configured.target.change({ remove, give: [] });
      if (give.length > 0) await configured.target.change({ remove: [], give });
      const left = await changeFor(configured);
      if (left.remove.length + left.give.length > 0) throw differs(name, left);
      return { given: give.map(describeMembership), removed: remove.map(describeMembership) };
    },
  };
};

const unknownTarget = (name: string, known: readonly string[]): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `There is no target ${name} in access.yaml; it has ${known.length === 0 ? 'none' : known.join(', ')}. Nothing was changed there.`,
    next: 'Put the target back under managed.targets, or correct its name.',
    subject: name,
  });

const differs = (name: string, { remove, give }: MembershipChange): Error => {
  const parts = [...told('is missing', give), ...told('is there still', remove)];
  return codedFailure({
    code: 'ACCESS_TARGET_DIFFERS',
    message: `Read back, ${name} has not what was written to it: ${parts.join('; ')}.`,
    subject: name,
  });
};

/** The error stays in the history of a run, which has no room for thousands of names. */
const mostNamed = 20;

const told = (what: string, memberships: readonly Membership[]): string[] => {
  if (memberships.length === 0) return [];
  const named = memberships.slice(0, mostNamed).map(describeMembership);
  const more = memberships.length - named.length;
  return [`${named.join(', ')}${more === 0 ? '' : ` and ${String(more)} more`} ${what}`];
};
