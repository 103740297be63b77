export { createUnverifiedIdentity } from './unverified-identity.ts';
