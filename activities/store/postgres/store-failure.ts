import { ApplicationFailure } from '@temporalio/common';
import type { ErrorCode } from '../../../contracts/errors.ts';
import { codedFailure } from '../../coded-failure.ts';

/** Of the system and of the driver, when there is no way to the server. */
const noWay =
  /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
// The driver gives these no code.
const brokenWay =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout)/i;
/** Codes of OpenSSL and of Node's own check of names, and the driver's words where there is no TLS. */
const badCertificate =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH)/;
const noTls = /does not support SSL connections/;

/** SQLSTATE, from the table of error codes in PostgreSQL's manual. */
const byState: readonly (readonly [RegExp, ErrorCode])[] = [
  // Connection exceptions, too many connections, and a server that starts or ends.
  [/^(?:08...|53300|57P0[1-3])$/, 'STORE_UNREACHABLE'],
  // Lock not available: another process holds it for longer than we wait.
  [/^55P03$/, 'STORE_UNREACHABLE'],
  [/^(?:28...|3D000|42501)$/, 'STORE_ACCESS_DENIED'],
  // A schema, table or column that is not there.
  [/^(?:3F000|42P01|42703)$/, 'STORE_OUTDATED'],
];

/** What the database, or the way to it, said, as one of our errors; others as they were. */
export const toStoreFailure = (error: unknown, address: string): unknown => {
  if (error instanceof ApplicationFailure) return error;
  const { code: reported, message: text } = Object(error) as { code?: unknown; message?: unknown };
  const state = typeof reported === 'string' ? reported : '';
  // An attempt at several addresses has no message of its own.
  const reason = typeof text === 'string' && text !== '' ? text : state;
  const code = codeFor(state, reason);
  if (code === undefined) return error;
  return codedFailure(
    { code, message: `The database at ${address}: ${reason}.`, subject: 'DATABASE_URL' },
    { cause: error },
  );
};

const codeFor = (state: string, reason: string): ErrorCode | undefined => {
  if (noWay.test(state) || brokenWay.test(reason)) return 'STORE_UNREACHABLE';
  if (badCertificate.test(state) || noTls.test(reason)) return 'STORE_NOT_PRIVATE';
  return byState.find(([pattern]) => pattern.test(state))?.[1];
};
