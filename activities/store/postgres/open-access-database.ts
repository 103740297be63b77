import type { AccessGrants } from '../../../domain/security/access-grant.ts';
import type { AccessKeys } from '../../../domain/security/access-key.ts';
import { openStore } from './open-store.ts';
import { createPostgresAccessGrants } from './postgres-access-grants.ts';
import { createPostgresAccessKeys } from './postgres-access-keys.ts';

/** Keys and grants, by connections of their own. @throws CONFIGURATION_INVALID, STORE_NOT_PRIVATE */
export const openAccessDatabase = (
  url: string,
): { keys: AccessKeys; grants: AccessGrants; close: () => Promise<void> } => {
  const store = openStore(url);
  return {
    keys: createPostgresAccessKeys({ store }),
    grants: createPostgresAccessGrants({ store }),
    close: async () => store.close(),
  };
};
