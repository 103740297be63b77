import path from 'node:path';
import { codedFailure } from '../coded-failure.ts';
import { readBlobLocation, type BlobLocation } from './blob-location.ts';
import type { S3Credentials } from './s3-blob-store.ts';

type Variable =
  | 'HOLDFAST_BLOBS'
  | 'HOLDFAST_BLOB_KEY_FILE'
  | 'HOLDFAST_BLOB_KEYS'
  | 'AWS_ACCESS_KEY_ID'
  | 'AWS_SECRET_ACCESS_KEY'
  | 'AWS_SESSION_TOKEN'
  | 'AWS_REGION';

/** The variables that say where blobs are; an empty one counts as absent. */
export type BlobEnvironment = Partial<Record<Variable, string | undefined>>;

export type BlobSettings =
  | {
      location: Extract<BlobLocation, { kind: 'directory' }>;
      /** `key` in the directory if absent. */
      keyFile: string | undefined;
    }
  | {
      location: Extract<BlobLocation, { kind: 's3' }>;
      /** Absent only where a key management seals. */
      keyFile: string | undefined;
      credentials: S3Credentials;
    };

/**
 * Where blobs are and what is needed to use them; undefined if nothing names a place.
 *
 * @throws CONFIGURATION_INVALID, STORE_NOT_PRIVATE
 */
export const blobSettingsOf = (environment: BlobEnvironment): BlobSettings | undefined => {
  const value = (name: Variable): string | undefined =>
    environment[name] === '' ? undefined : environment[name];
  const place = value('HOLDFAST_BLOBS');
  if (place === undefined) return undefined;
  const location = readBlobLocation(place, value('AWS_REGION'));
  const keyFile = value('HOLDFAST_BLOB_KEY_FILE');
  if (location.kind === 'directory') {
    return { location: { ...location, directory: path.resolve(location.directory) }, keyFile };
  }
  const required = (name: Variable, what: string): string => {
    const given = value(name);
    if (given !== undefined) return given;
    throw missing(name, what);
  };
  return {
    location,
    keyFile:
      value('HOLDFAST_BLOB_KEYS') === undefined
        ? required('HOLDFAST_BLOB_KEY_FILE', 'the file with the key of the blobs')
        : keyFile,
    credentials: {
      accessKeyId: required('AWS_ACCESS_KEY_ID', 'the key id for the bucket'),
      secretAccessKey: required('AWS_SECRET_ACCESS_KEY', 'the secret key for the bucket'),
      sessionToken: value('AWS_SESSION_TOKEN'),
    },
  };
};

const missing = (name: string, what: string): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `${name} is missing: with a bucket in HOLDFAST_BLOBS it must be ${what}. Nothing was connected.`,
    subject: name,
  });
