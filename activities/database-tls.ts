import { readFileSync } from 'node:fs';
import { codedFailure } from './coded-failure.ts';
import type { DatabaseTarget } from './database-url.ts';

/** How the driver has to connect. @throws CONFIGURATION_INVALID */
export const tlsOptionsFor = (
  { tls, authoritiesFile }: DatabaseTarget,
  source = 'DATABASE_URL',
): false | { rejectUnauthorized: true; ca?: string } => {
  if (tls === 'none') return false;
  const verified = { rejectUnauthorized: true } as const;
  return authoritiesFile === undefined
    ? verified
    : { ...verified, ca: readAuthorities(authoritiesFile, source) };
};

const readAuthorities = (file: string, source: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw codedFailure(
      {
        code: 'CONFIGURATION_INVALID',
        message: `${source} names ${file} as sslrootcert, which cannot be read. Nothing was connected.`,
        subject: source,
      },
      { cause },
    );
  }
};
