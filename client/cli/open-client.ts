import { resolveStateDirectory } from '../../sandbox/index.ts';
import { readSurroundings } from '../config.ts';
import { createOpsClient, type OpsClient } from '../index.ts';

/**
 * The client of a command: that of the sandbox which is found upwards, else of the directory
 * that the sandbox itself would use here, which may be another where the usual one is not ours.
 */
export const openClient = async (actor: string | undefined): Promise<OpsClient> => {
  const { sandbox, stateDirectory } = readSurroundings();
  return createOpsClient({
    stateDirectory: sandbox === undefined ? await resolveStateDirectory() : stateDirectory,
    ...(actor === undefined ? {} : { actor }),
  });
};
