import {
  describeMembership,
  type AccessTarget,
  type Membership,
} from '../../domain/security/access-target.ts';
import { failure } from './in-memory-failure.ts';

type TargetFailure = 'ACCESS_TARGET_REFUSED' | 'ACCESS_TARGET_UNREACHABLE';

export interface AccessTargetKnobs {
  /** By `describeMembership`; a test may change both as someone else would. */
  ours: Map<string, Membership>;
  others: Map<string, Membership>;
  /** What was written, in order: `+ edit of ana`, `- view of bob`. */
  writes: string[];
  /** Fails so many calls of a verb. */
  fail: Partial<Record<'read' | 'change', { code: TargetFailure; times: number }>>;
  /** So many calls of `change` are answered well, and nothing is kept of them. */
  loseWrites: number;
}

/** A target that is nowhere; passes the same conformance suite as a cluster and a database. */
export const createInMemoryAccessTarget = ({
  takesGroups,
}: {
  takesGroups: boolean;
}): {
  target: AccessTarget;
  knobs: AccessTargetKnobs;
} => {
  const knobs: AccessTargetKnobs = {
    ...{ ours: new Map(), others: new Map(), writes: [] },
    ...{ fail: {}, loseWrites: 0 },
  };
  const target: AccessTarget = {
    read: async () => {
      failIfAsked(knobs, 'read');
      return Promise.resolve([...knobs.ours.values()]);
    },
    change: async ({ remove, give }) => {
      failIfAsked(knobs, 'change');
      if (!takesGroups && give.some(({ kind }) => kind === 'group')) {
        throw failure('ACCESS_TARGET_REFUSED', 'the in-memory target knows no groups');
      }
      if (knobs.loseWrites > 0) knobs.loseWrites -= 1;
      else apply(knobs, { remove, give });
      return Promise.resolve();
    },
  };
  return { target, knobs };
};

const apply = (
  { ours, writes }: AccessTargetKnobs,
  { remove, give }: Parameters<AccessTarget['change']>[0],
): void => {
  for (const each of remove) {
    if (ours.delete(describeMembership(each))) writes.push(`- ${describeMembership(each)}`);
  }
  for (const each of give) {
    const text = describeMembership(each);
    if (!ours.has(text)) writes.push(`+ ${text}`);
    ours.set(text, each);
  }
};

const failIfAsked = ({ fail }: AccessTargetKnobs, verb: 'read' | 'change'): void => {
  const knob = fail[verb];
  if (knob === undefined || knob.times <= 0) return;
  knob.times -= 1;
  throw failure(knob.code, `the in-memory target fails to ${verb} as asked`);
};
