import type { Environments } from '../../activities/kubernetes/index.ts';
import { activityTypes, type PoolContext } from './pool-setup.ts';

/**
 * Roles are given and taken to their targets here, where clusters, database and access configuration
 * are. Loaded on demand: a process without an access configuration does without all of it.
 */
export const accessActivities = async (
  { access, audit }: PoolContext,
  environments: Environments,
): Promise<Record<string, unknown>> => {
  const { createAccessChanges } = await import('../../activities/identity/access-changes.ts');
  const record = async (...[entries]: Parameters<NonNullable<typeof audit>['record']>) =>
    audit?.record(entries);
  const changes = activityTypes('accessChanges', createAccessChanges({ gate: access, record }));
  if (access === undefined) return changes;
  const { accessTargetsOf } = await import('../access-targets.ts');
  return { ...changes, ...activityTypes('accessTargets', accessTargetsOf(access, environments)) };
};
