import { z } from 'zod';

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** A name that is also part of workflow ids and object names: a DNS label. */
const label = (what: string, maxChars: number): z.ZodString =>
  z
    .string()
    .max(maxChars, `must have at most ${String(maxChars)} characters`)
    .regex(dnsLabel, 'must consist of lower-case letters, digits and hyphens')
    .describe(what);

export const ServiceName = label('Name of the service, e.g. `shop`.', 50);
export const EnvironmentName = label('Name of the environment, e.g. `staging`.', 50);

/** Release names may be versions: dots are allowed, slashes and colons are not. */
export const ReleaseName = z
  .string()
  .max(63, 'must have at most 63 characters')
  .regex(
    /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    'must consist of lower-case letters, digits, dots and hyphens',
  )
  .describe('Name of the release, unique for the service, e.g. `2.4.1`.');

export const CommitSha = z
  .string()
  .regex(/^[0-9a-f]{7,64}$/, 'must be 7 to 64 hexadecimal digits')
  .describe('Hash of the commit.');

export const Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits')
  .describe('Content digest in the blob store.');
