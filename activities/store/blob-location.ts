import { z } from 'zod';
import { codedFailure } from '../coded-failure.ts';
import { requirePrivateEndpoint } from '../private-endpoint.ts';

/** Where blobs lie. */
export type BlobLocation =
  | { kind: 'directory'; directory: string }
  | { kind: 's3'; bucket: string; prefix: string; endpoint: string; region: string };

const scheme = 's3://';
const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** No part may be `.` or `..`: what signs a request and what receives it would read them differently. */
const prefixPattern = /^(?:(?!\.{1,2}(?:\/|$))[\w.-]+(?:\/|$))*$/;

const Parameters = z.strictObject({
  endpoint: z.string().optional(),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .optional(),
});

const invalid = (reason: string): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `HOLDFAST_BLOBS ${reason}. Nothing was connected.`,
    next: 'Name a directory, or s3://bucket/prefix?endpoint=https://host:port&region=NAME.',
    subject: 'HOLDFAST_BLOBS',
  });

/**
 * Reads a directory, or `s3://bucket/prefix?endpoint=…&region=…`; without an endpoint it is that of
 * Amazon in the region. What leaves this machine is encrypted.
 *
 * @throws CONFIGURATION_INVALID, STORE_NOT_PRIVATE
 */
export const readBlobLocation = (text: string, defaultRegion = 'us-east-1'): BlobLocation => {
  if (!text.startsWith(scheme)) {
    if (/^[a-z0-9+]+:\/\//i.test(text)) throw invalid('names no place that is known');
    return { kind: 'directory', directory: text };
  }
  // Not by the URL class, which folds `..` away before anyone has seen it.
  const [place = '', query = '', ...more] = text.slice(scheme.length).split('?');
  if (more.length > 0) throw invalid('has more than one ?');
  const { endpoint, region = defaultRegion } = parametersOf(query);
  const address = endpoint ?? `https://s3.${region}.amazonaws.com`;
  return {
    ...bucketOf(place),
    region,
    endpoint: requirePrivateEndpoint(address, 'HOLDFAST_BLOBS'),
  };
};

const bucketOf = (place: string): { kind: 's3'; bucket: string; prefix: string } => {
  const [bucket = '', ...steps] = place.split('/');
  const prefix = steps.join('/').replace(/\/$/, '');
  if (!bucketPattern.test(bucket) || bucket.includes('..')) throw invalid('names no bucket');
  if (!prefixPattern.test(prefix)) {
    throw invalid('has a prefix that is not made of letters, digits, `_`, `.`, `-` between `/`');
  }
  return { kind: 's3', bucket, prefix };
};

const parametersOf = (query: string): z.output<typeof Parameters> => {
  const outcome = Parameters.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (outcome.success) return outcome.data;
  throw invalid('may have the parameters endpoint and region, and no other');
};
