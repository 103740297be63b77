import { describe, expect, test } from '@jest/globals';
import { readBlobLocation } from '../../../activities/store/blob-location.ts';
import { blobSettingsOf } from '../../../activities/store/blob-settings.ts';

describe('where blobs are', () => {
  test('is a directory, or a bucket with a prefix', () => {
    expect(readBlobLocation('/var/lib/blobs')).toEqual({
      kind: 'directory',
      directory: '/var/lib/blobs',
    });
    expect(
      readBlobLocation('s3://evidence/team/a/?endpoint=https://s3.example:9000&region=nowhere-1'),
    ).toEqual({
      kind: 's3',
      bucket: 'evidence',
      prefix: 'team/a',
      endpoint: 'https://s3.example:9000',
      region: 'nowhere-1',
    });
    expect(readBlobLocation('s3://evidence', 'eu-west-1')).toMatchObject({
      prefix: '',
      endpoint: 'https://s3.eu-west-1.amazonaws.com',
    });
  });

  test.each([
    's3://evidence/../other',
    's3://evidence/a/../../other',
    's3://evidence/./a',
    's3://evidence/a//b',
    's3://evidence/a%2f..%2fb',
    's3://../other',
    's3://ev..idence',
    's3://E/a',
    's3://evidence/a?region=a/../b',
    's3://evidence?endpoint=https://host/path',
    's3://evidence?endpoint=file:///etc',
    's3://evidence?key=1',
    'gs://evidence',
  ])('is refused where it could lead elsewhere: %s', (place) => {
    expect(() => readBlobLocation(place)).toThrow(
      expect.objectContaining({ type: 'CONFIGURATION_INVALID' }),
    );
  });

  test('is never told with the credentials that someone put into an address', () => {
    expect(() => readBlobLocation('s3://evidence?endpoint=https://a:planted@host')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('planted') }),
    );
  });

  test.each(['http://127.0.0.1:9000', 'http://localhost:9000', 'http://[::1]:9000'])(
    'may be unencrypted on this machine: %s',
    (endpoint) => {
      expect(readBlobLocation(`s3://evidence?endpoint=${endpoint}`)).toMatchObject({ endpoint });
    },
  );

  test.each([
    'http://s3.example',
    'http://10.0.0.1:9000',
    'http://127.0.0.1.example',
    'http://localhost.example',
  ])('is refused unencrypted on another one: %s', (endpoint) => {
    expect(() => readBlobLocation(`s3://evidence?endpoint=${endpoint}`)).toThrow(
      expect.objectContaining({ type: 'STORE_NOT_PRIVATE' }),
    );
  });
});

describe('the settings of a bucket', () => {
  const complete = {
    HOLDFAST_BLOBS: 's3://evidence',
    HOLDFAST_BLOB_KEY_FILE: '/keys/blobs',
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: '',
    AWS_REGION: 'eu-west-1',
  };

  test('come from the variables that other tools read too', () => {
    expect(blobSettingsOf(complete)).toMatchObject({
      location: { region: 'eu-west-1' },
      keyFile: '/keys/blobs',
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: undefined },
    });
  });

  test.each(['HOLDFAST_BLOB_KEY_FILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const)(
    'are not complete without %s',
    (name) => {
      expect(() => blobSettingsOf({ ...complete, [name]: '' })).toThrow(
        expect.objectContaining({
          type: 'CONFIGURATION_INVALID',
          message: expect.stringContaining(name),
        }),
      );
    },
  );
});
