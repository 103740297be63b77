import { createHash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import type { ErrorCode } from '../../contracts/errors.ts';
import { codedFailure } from '../coded-failure.ts';
import type { BlobLocation } from './blob-location.ts';
import type { BlobPlace } from './sealed-blob-store.ts';

/** What signs requests, as AWS calls it. */
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

export interface BucketOptions {
  location: Extract<BlobLocation, { kind: 's3' }>;
  credentials: S3Credentials;
}

interface Answer {
  status: number;
  body: Buffer;
}

type Request = { method: 'HEAD' } | { method: 'GET' } | { method: 'PUT'; body: Buffer };

// A blob is some megabytes at most; a service that is there answers within this.
const answerWithinMs = 30_000;

/** The answer to `if-none-match: *` where there is an object. */
const alreadyThere = 412;
/** Somebody else writes the same object at this moment. */
const writtenNow = 409;
/** Codes of S3 and of servers that speak it, in the body of an error. */
const fullCodes = /StorageFull|QuotaExceeded|InsufficientCapacity|InsufficientStorage|NoSpaceLeft/;
const noBucket = /NoSuchBucket/;
/** Of OpenSSL and of Node's own check of names. */
const badCertificate =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH)/;

/** Sealed blobs as objects of a bucket, at `<prefix>/blobs/<two digits>/<name>`. */
export const createBlobBucket = (options: BucketOptions): BlobPlace => {
  const { bucket, prefix, endpoint, region } = options.location;
  const client = new AwsClient({ ...withoutUnset(options.credentials), region, service: 's3' });
  const urlOf = (name: string): string => {
    const steps = [bucket, ...(prefix === '' ? [] : [prefix]), 'blobs', name.slice(0, 2), name];
    return `${endpoint}/${steps.join('/')}`;
  };
  const ask = async (name: string, request: Request): Promise<Answer> => {
    try {
      const answer = await fetch(await client.sign(urlOf(name), signedPart(request)), {
        // A redirect would carry the signed request to wherever the answer says.
        redirect: 'manual',
        signal: AbortSignal.timeout(answerWithinMs),
      });
      return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
    } catch (error) {
      throw noAnswer(error, options.location);
    }
  };
  const refused = (answer: Answer): Error => toRefusal(answer, options.location);
  const isAbsent = ({ status, body }: Answer): boolean =>
    status === 404 && !noBucket.test(body.toString('utf8'));
  return {
    read: async (name) => {
      const answer = await ask(name, { method: 'GET' });
      if (answer.status === 200) return answer.body;
      if (isAbsent(answer)) return undefined;
      throw refused(answer);
    },
    write: async (name, sealed) => {
      const answer = await ask(name, { method: 'PUT', body: sealed });
      if (answer.status !== 200 && answer.status !== alreadyThere) throw refused(answer);
    },
    has: async (name) => {
      const answer = await ask(name, { method: 'HEAD' });
      if (answer.status === 200) return true;
      // The answer to HEAD has no body that could tell a missing bucket; the next write will.
      if (isAbsent(answer)) return false;
      throw refused(answer);
    },
  };
};

const withoutUnset = ({ sessionToken, ...credentials }: S3Credentials) => ({
  ...credentials,
  ...(sessionToken === undefined ? {} : { sessionToken }),
});

/**
 * With the digest of the body in what is signed, the server refuses bytes that were changed. What
 * is there already stays.
 */
const signedPart = (request: Request): RequestInit => {
  if (request.method !== 'PUT') return { method: request.method };
  const body = new Uint8Array(request.body);
  const digest = createHash('sha256').update(body).digest('hex');
  return { method: 'PUT', body, headers: { 'x-amz-content-sha256': digest, 'if-none-match': '*' } };
};

const placeOf = ({ bucket, endpoint }: BucketOptions['location']): string =>
  `The bucket ${bucket} at ${endpoint}`;

const noAnswer = (error: unknown, location: BucketOptions['location']): Error => {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  const { code, message } = Object(cause) as { code?: unknown; message?: unknown };
  const isForeign = badCertificate.test(String(code));
  return codedFailure(
    {
      code: isForeign ? 'STORE_NOT_PRIVATE' : 'BLOBS_UNREACHABLE',
      message: `${placeOf(location)} could not be asked: ${String(message)}. Nothing was changed there.`,
      subject: 'HOLDFAST_BLOBS',
    },
    { cause: error },
  );
};

const codeOf = (status: number, body: string): ErrorCode => {
  if (status === 507 || fullCodes.test(body)) return 'BLOBS_FULL';
  if (status === 401 || status === 403) return 'BLOBS_ACCESS_DENIED';
  if (status === 429 || status === writtenNow || status >= 500) return 'BLOBS_UNREACHABLE';
  return 'CONFIGURATION_INVALID';
};

const toRefusal = ({ status, body }: Answer, location: BucketOptions['location']): Error => {
  const text = body.toString('utf8');
  const said = /<Code>([\w.]{1,80})<\/Code>/.exec(text)?.[1];
  return codedFailure({
    code: codeOf(status, text),
    message: `${placeOf(location)} answered ${String(status)}${said === undefined ? '' : ` ${said}`}; the blob was neither read nor stored.`,
    subject: 'HOLDFAST_BLOBS',
  });
};
