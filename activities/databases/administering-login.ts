import { Client } from 'pg';
import { codedErrorOf, codedFailure } from '../coded-failure.ts';
import { tlsOptionsFor } from '../database-tls.ts';
import { addressOf, readDatabaseUrl, type DatabaseTarget } from '../database-url.ts';
import { readPrivateFile } from '../private-file.ts';

const connectTimeoutMs = 5_000;
const lockTimeoutMs = 10_000;
const statementTimeoutMs = 30_000;

/**
 * Works in a database as the login whose URL is in the file, which is read each time: what an
 * operator corrected there counts at once.
 * @throws ACCESS_TARGET_REFUSED, ACCESS_TARGET_UNREACHABLE
 */
export const asLogin = async <Result>(
  urlFile: string,
  work: (client: Client) => Promise<Result>,
): Promise<Result> => {
  let address = `of ${urlFile}`;
  try {
    const source = `The database URL in ${urlFile}`;
    const target = readDatabaseUrl(await readUrl(urlFile), source);
    address = addressOf(target);
    const client = new Client(clientOptions(target, source));
    // A server that restarts ends connections also between queries; the next query fails by itself.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  } catch (error) {
    throw toTargetFailure(error, { address, urlFile });
  }
};

/** All of the work or none of it. */
export const inTransaction = async (client: Client, work: () => Promise<void>): Promise<void> => {
  await client.query('begin');
  try {
    await work();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
};

const clientOptions = (target: DatabaseTarget, source: string) => {
  const { host, port, database, user, password } = target;
  return {
    ...{ host, port, database, user },
    // Without one the driver would look for a password file and variables of its own.
    password: password ?? '',
    ssl: tlsOptionsFor(target, source),
    connectionTimeoutMillis: connectTimeoutMs,
    lock_timeout: lockTimeoutMs,
    statement_timeout: statementTimeoutMs,
    // The server's answer to a cancelled statement comes first, where there is one.
    query_timeout: statementTimeoutMs * 2,
    application_name: 'holdfast',
  };
};

const readUrl = async (urlFile: string): Promise<string> => {
  const text = await readPrivateFile({
    file: urlFile,
    kind: 'file of a database URL',
    renewWith: 'ALTER ROLE … PASSWORD',
  });
  if (text !== undefined) return text.trim();
  throw refused(
    `There is no file ${urlFile} with the URL of a database. Nothing was connected.`,
    'Write the file, with mode 600, or correct urlFile of the target in access.yaml.',
    urlFile,
  );
};

export const refused = (message: string, next: string, subject: string): Error =>
  codedFailure({ code: 'ACCESS_TARGET_REFUSED', message, next, subject });

/** Of the system and of the driver, when there is no way to the server. */
const noWay =
  /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
// The driver gives these no code.
const brokenWay =
  /^(?:Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Query read timeout)/i;
const badCertificate =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH)/;
const noTls = /does not support SSL connections/;

// SQLSTATE, from the table of error codes in PostgreSQL's manual.
/** Connection exceptions, too many connections or no room, conflicts, timeouts, and an end or a start. */
const passing = /^(?:08...|53...|55P03|57014|57P0[1-5]|40...|XX000)$/;
/** Credentials, no such database, no right, a server that only reads, names that cannot be. */
const lasting = /^(?:28...|3D000|42...|25006|22...|0LP01)$/;

const advice = (state: string, urlFile: string): string => {
  if (/^(?:28|3D)/.test(state)) return `Correct the database URL in ${urlFile}.`;
  if (state === '25006') return `Name the primary server in ${urlFile}; that one only reads.`;
  if (lasting.test(state)) return 'Correct what the server names, there or in access.yaml.';
  return `Use sslmode=verify-full in ${urlFile}, with sslrootcert=FILE for an authority of your own.`;
};

/** What the database, or the way to it, said, as a target says it; others as they were. */
const toTargetFailure = (
  error: unknown,
  { address, urlFile }: { address: string; urlFile: string },
): unknown => {
  const coded = codedErrorOf(error);
  if (coded?.code === 'CONFIGURATION_INVALID' || coded?.code === 'STORE_NOT_PRIVATE') {
    return refused(coded.message, `Correct ${urlFile}: its owner alone may read it.`, urlFile);
  }
  if (coded !== undefined) return error;
  const said = saidBy(error);
  const what = `The database at ${address}: ${said.reason}.`;
  if (isPassing(said)) {
    // The answer to a commit can be lost.
    const message = `${what} What was asked of it is done altogether or not at all.`;
    const code = 'ACCESS_TARGET_UNREACHABLE';
    return codedFailure({ code, message, subject: address }, { cause: error });
  }
  if (!isLasting(said)) return error;
  return refused(`${what} Nothing was changed there.`, advice(said.state, urlFile), address);
};

interface Said {
  /** SQLSTATE, or a code of the system. */
  state: string;
  reason: string;
}

const saidBy = (error: unknown): Said => {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  const state = typeof code === 'string' ? code : '';
  // An attempt at several addresses has no message of its own.
  return { state, reason: typeof message === 'string' && message !== '' ? message : state };
};

const isPassing = ({ state, reason }: Said): boolean =>
  noWay.test(state) || brokenWay.test(reason) || passing.test(state);

const isLasting = ({ state, reason }: Said): boolean =>
  lasting.test(state) || badCertificate.test(state) || noTls.test(reason);
