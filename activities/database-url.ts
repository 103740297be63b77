import { codedFailure } from './coded-failure.ts';

/** A database and how to reach it, read from its URL. */
export interface DatabaseTarget {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string | undefined;
  /** `verified`: certificate and name are checked, whatever weaker mode was asked for. */
  tls: 'none' | 'verified';
  /** File with the certificates of the authorities to trust; those of the system if absent. */
  authoritiesFile: string | undefined;
}

const defaultPort = 5432;
const knownParameters = ['sslmode', 'sslrootcert'];
const verifiedModes = ['require', 'verify-ca', 'verify-full'];
const unverifiedModes = ['disable', 'allow', 'prefer', 'no-verify'];

/**
 * Reads `postgres://user:password@host:port/database`. What leaves this machine is encrypted, and
 * the certificate of the other side checked: `sslmode=require` is as strict here as `verify-full`.
 * `source` is what an error calls the text, which it never repeats: it holds a password.
 *
 * @throws CONFIGURATION_INVALID, STORE_NOT_PRIVATE
 */
export const readDatabaseUrl = (text: string, source = 'DATABASE_URL'): DatabaseTarget => {
  try {
    return targetIn(text);
  } catch (error) {
    if (!(error instanceof UnusableUrl)) throw error;
    const { code, message } = error;
    throw codedFailure({
      code,
      message: `${source} ${message} Nothing was connected.`,
      subject: source,
    });
  }
};

class UnusableUrl extends Error {
  readonly code: 'CONFIGURATION_INVALID' | 'STORE_NOT_PRIVATE';

  constructor(message: string, code: UnusableUrl['code'] = 'CONFIGURATION_INVALID') {
    super(message);
    this.code = code;
  }
}

const targetIn = (text: string): DatabaseTarget => {
  const url = parsed(text);
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  const database = decoded(url.pathname.slice(1));
  const user = decoded(url.username);
  if (host === '') throw invalid('names no host');
  if (database === '') throw invalid('names no database; it is the part after the last /');
  if (user === '') throw invalid('names no user');
  const unknown = [...url.searchParams.keys()].find((name) => !knownParameters.includes(name));
  if (unknown !== undefined) {
    throw invalid(`has the parameter ${unknown}; only ${knownParameters.join(' and ')} are known`);
  }
  return {
    host,
    port: url.port === '' ? defaultPort : Number(url.port),
    database,
    user,
    password: url.password === '' ? undefined : decoded(url.password),
    tls: tlsFor(host, url.searchParams.get('sslmode')),
    authoritiesFile: url.searchParams.get('sslrootcert') ?? undefined,
  };
};

/** Where a database is, without credentials. */
export const addressOf = ({ host, port, database }: DatabaseTarget): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;

const parsed = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ['postgres:', 'postgresql:'].includes(url.protocol)) return url;
  throw invalid('is not of the form postgres://user:password@host:port/database');
};

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid('has a % that is not followed by two hexadecimal digits; write it as %25');
  }
};

const tlsFor = (host: string, mode: string | null): DatabaseTarget['tls'] => {
  if (mode !== null && verifiedModes.includes(mode)) return 'verified';
  if (mode !== null && !unverifiedModes.includes(mode)) {
    throw invalid(`has sslmode=${mode}; it must be verify-full, or absent`);
  }
  if (isLoopback(host)) return 'none';
  if (mode === null) return 'verified';
  throw new UnusableUrl(
    `has sslmode=${mode} for ${host}, which is another machine: who is between could read and change everything.`,
    'STORE_NOT_PRIVATE',
  );
};

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);

const invalid = (reason: string): Error => new UnusableUrl(`${reason}.`);
