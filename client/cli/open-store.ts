import * as postgres from '../../activities/store/postgres/index.ts';
import { readSurroundings } from '../config.ts';
import { toOpsError } from '../error-translation.ts';
import { OpsError } from '../ops-error.ts';

/**
 * Opens the database of the store for one command; `without` says what its lack means.
 * @throws CONFIGURATION_INVALID where there is none
 */
export const withStore = async <Result>(
  use: (store: postgres.Store) => Promise<Result>,
  without = 'There is no database',
): Promise<Result> => {
  const { databaseUrl } = readSurroundings();
  if (databaseUrl === undefined) {
    throw new OpsError({
      code: 'CONFIGURATION_INVALID',
      message: `${without}: DATABASE_URL is not set, and no sandbox with one is up. Nothing was done.`,
      next: 'Set DATABASE_URL, or run `holdfast sandbox up`.',
      subject: 'DATABASE_URL',
    });
  }
  try {
    await using store = postgres.openStore(databaseUrl);
    return await use(store);
  } catch (error) {
    throw toOpsError(error);
  }
};
