import path from 'node:path';
import {
  createAccessGate,
  createFilesystemAccessKeys,
  createOidcTokens,
  openAccessSettings,
  type AccessGate,
} from '../../activities/identity/index.ts';
import { readSurroundings } from '../config.ts';
import { toOpsError } from '../error-translation.ts';
import { OpsError } from '../ops-error.ts';
import type { AccessFlags } from './access-verb.ts';

/** Works with the access configuration that the flag or the environment names. */
export const withAccess = async <Outcome>(
  { access, stateDirectory }: AccessFlags & { stateDirectory?: string },
  work: (gate: AccessGate) => Promise<Outcome>,
): Promise<Outcome> => {
  if (access === undefined || access === '') throw noAccessFile();
  const { databaseUrl } = readSurroundings(stateDirectory === undefined ? {} : { stateDirectory });
  const settings = openAccessSettings(path.resolve(access));
  const tokens = createOidcTokens();
  try {
    if (databaseUrl === undefined) {
      const keysOf = ({ keysFile }: { keysFile: string }) => createFilesystemAccessKeys(keysFile);
      return await work(createAccessGate({ settings, keysOf, tokens }));
    }
    const { createPostgresAccessKeys, openStore } =
      await import('../../activities/store/postgres/index.ts');
    await using store = openStore(databaseUrl);
    const keys = createPostgresAccessKeys({ store });
    return await work(createAccessGate({ settings, keysOf: () => keys, tokens }));
  } catch (error) {
    throw toOpsError(error);
  }
};

const noAccessFile = (): OpsError =>
  new OpsError({
    code: 'CONFIGURATION_INVALID',
    message: 'No access configuration is named. Nothing was done.',
    next: 'Name access.yaml with --access PATH, or set HOLDFAST_ACCESS; docs/access.md shows one.',
    subject: 'HOLDFAST_ACCESS',
  });
