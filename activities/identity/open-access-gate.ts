import type { AccessGrants } from '../../domain/security/access-grant.ts';
import type { AccessKeys } from '../../domain/security/access-key.ts';
import { createAccessGate, type AccessGate, type AccessGateDeps } from './access-gate.ts';
import { openAccessSettings } from './access-settings.ts';
import { createFilesystemAccessKeys } from './filesystem-access-keys.ts';
import { createOidcTokens } from './oidc-tokens.ts';

/** What a database keeps; keys are beside access.yaml where there is none. */
interface StoredAccess {
  keys?: AccessKeys;
  grants?: AccessGrants;
}

/** The gate of a process, by this access.yaml. */
export const openAccessGate = (
  accessFile: string,
  { keys, grants, namesWhoMay }: StoredAccess & Pick<AccessGateDeps, 'namesWhoMay'> = {},
): AccessGate =>
  createAccessGate({
    settings: openAccessSettings(accessFile),
    keysOf: ({ keysFile }) => keys ?? createFilesystemAccessKeys(keysFile),
    tokens: createOidcTokens(),
    grants,
    namesWhoMay,
  });
