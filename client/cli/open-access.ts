import path from 'node:path';
import { openAccessGate, type AccessGate } from '../../activities/identity/index.ts';
import { readSurroundings } from '../config.ts';
import { toOpsError } from '../error-translation.ts';
import { OpsError } from '../ops-error.ts';
import type { AccessFlags } from './access-options.ts';

/** Works with the access configuration that the flag or the environment names. */
export const withAccess = async <Outcome>(
  { access, stateDirectory }: AccessFlags & { stateDirectory?: string },
  work: (gate: AccessGate) => Promise<Outcome>,
): Promise<Outcome> => {
  if (access === undefined || access === '') throw noAccessFile();
  const { databaseUrl } = readSurroundings(stateDirectory === undefined ? {} : { stateDirectory });
  const accessFile = path.resolve(access);
  try {
    if (databaseUrl === undefined) return await work(openAccessGate(accessFile));
    const { openAccessDatabase } = await import('../../activities/store/postgres/index.ts');
    const { close, ...stored } = openAccessDatabase(databaseUrl);
    try {
      return await work(openAccessGate(accessFile, stored));
    } finally {
      await close();
    }
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
