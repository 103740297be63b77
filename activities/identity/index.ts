export { createAccessChanges } from './access-changes.ts';
export { createAccessGate, type AccessGate } from './access-gate.ts';
export {
  contentDigestOf,
  makeAccessKey,
  readAccessKey,
  signCommand,
  type AccessKey,
} from './access-key-text.ts';
export { createAccessTargets } from './access-propagation.ts';
export { openAccessGate } from './open-access-gate.ts';
export { openAccessSettings } from './access-settings.ts';
export { createFilesystemAccessKeys } from './filesystem-access-keys.ts';
export { createOidcTokens } from './oidc-tokens.ts';
export { makeSealingKey, sealToken } from './sealed-token.ts';
export { refuseUnreachable } from './reachable-approvals.ts';
export { readSecretFile } from './secret-file.ts';
export { createTemporalClaimsTarget } from './temporal-claims-target.ts';
export { makeTemporalKey, makeTemporalToken } from './temporal-token.ts';
export { createUnverifiedIdentity } from './unverified-identity.ts';
export { createVerifiedIdentity } from './verified-identity.ts';
export { createWarrants, type Warrants } from './warrants.ts';
