import { createPostgresAccessTarget } from '../activities/databases/index.ts';
import {
  createAccessTargets,
  createTemporalClaimsTarget,
  type AccessGate,
} from '../activities/identity/index.ts';
import type { AccessTargets } from '../activities/identity/port.ts';
import { createRbacAccessTarget, type Environments } from '../activities/kubernetes/index.ts';
import type { AccessTarget, TargetRule } from '../domain/security/access-target.ts';
import type { AccessFile } from '../contracts/shared/access-file.ts';

type Target = NonNullable<AccessFile['managed']>['targets'][number];

interface ConfiguredTarget {
  rule: TargetRule;
  target: AccessTarget;
}

/** The targets that access.yaml names now, each by its adapter. */
export const accessTargetsOf = (gate: AccessGate, environments: Environments): AccessTargets =>
  createAccessTargets({
    targets: async () => {
      const { managed } = await gate.settings();
      return new Map(
        (managed?.targets ?? []).map((target) => [target.name, configured(target, environments)]),
      );
    },
    wanted: async () => {
      const { users } = await gate.settings();
      const people = [...users.values()].filter(({ isDisabled }) => !isDisabled);
      return { grants: await gate.roleGrants(Date.now()), people };
    },
  });

const configured = (
  { name, kubernetes, postgres, temporal }: Target,
  environments: Environments,
): ConfiguredTarget => {
  if (kubernetes !== undefined) {
    const { environment, clusterRoles } = kubernetes;
    const rights = Object.fromEntries(
      Object.entries(clusterRoles).map(([role, clusterRole]) => [role, [clusterRole]]),
    );
    return {
      rule: { name, environment, rights, takesGroups: true },
      target: createRbacAccessTarget({ environments, environment }),
    };
  }
  if (postgres !== undefined) {
    const { urlFile, environment, roles } = postgres;
    return {
      rule: { name, environment, rights: roles, takesGroups: false },
      target: createPostgresAccessTarget({ urlFile, rights: roles }),
    };
  }
  const { claimsFile = '', environment, permissions = {} } = temporal ?? {};
  return {
    rule: { name, environment, rights: permissions, takesGroups: false },
    target: createTemporalClaimsTarget({ claimsFile, rights: permissions }),
  };
};
