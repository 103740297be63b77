import type { Logger } from 'pino';
import { codedErrorOf } from '../activities/coded-failure.ts';
import { createFilesystemReleaseRecords } from '../activities/store/index.ts';
import type { ReleaseRecords } from '../activities/store/port.ts';
import { releaseFigures, type ReleaseFigures } from '../domain/delivery/delivery-metrics.ts';
import { releaseRecordsIn, type WorkerConfig } from './config.ts';
import { StartError } from './start-error.ts';

/** Where a worker records releases that ended, and counts them. */
export interface ReleaseStore {
  records: ReleaseRecords;
  /** Of all releases that ever ended. */
  figures(): Promise<ReleaseFigures>;
  /** Moves what waits into the database; rejects while it does not answer. Absent without one. */
  reach?(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The database where one is configured, else files beside the blobs. A database that does not
 * answer keeps no worker from its releases: their records wait in files until it does.
 *
 * @throws StartError if the database answers, and this version cannot work with it
 */
export const openReleaseStore = async (
  config: WorkerConfig,
  log: Logger,
): Promise<ReleaseStore | undefined> => {
  const { databaseUrl, blobsDirectory } = config;
  const files =
    blobsDirectory === undefined
      ? undefined
      : createFilesystemReleaseRecords({ directory: releaseRecordsIn(blobsDirectory) });
  if (databaseUrl !== undefined) return openDatabase({ databaseUrl, files, log });
  if (files === undefined) return undefined;
  return {
    records: files,
    figures: async () => releaseFigures(await files.all()),
    close: async () => Promise.resolve(),
  };
};

interface DatabaseSettings {
  databaseUrl: string;
  files: ReturnType<typeof createFilesystemReleaseRecords> | undefined;
  log: Logger;
}

const openDatabase = async ({
  databaseUrl,
  files,
  log,
}: DatabaseSettings): Promise<ReleaseStore> => {
  // Loaded on demand: a process without a database does without its driver.
  const postgres = await import('../activities/store/postgres/index.ts');
  const store = postgres.openStore(databaseUrl);
  const records = postgres.createPostgresReleaseRecords({ store });
  // From before there was a database, or from while it did not answer.
  let filesMayWait = files !== undefined;
  const settle = async (): Promise<void> => {
    await postgres.requireCurrent(store);
    if (files === undefined || !filesMayWait) return;
    const moved = await postgres.takeOverReleaseRecords(store, files);
    filesMayWait = false;
    if (moved > 0) log.info({ moved }, 'release records were moved from files to the database');
  };
  try {
    await settle();
  } catch (error) {
    const coded = codedErrorOf(error);
    if (coded?.code !== 'STORE_UNREACHABLE') {
      await store.close();
      throw coded === undefined ? error : new StartError(coded.code, coded.message);
    }
    log.warn({ err: error }, 'the database does not answer; the workers start without it');
  }
  return {
    records: {
      all: async () => records.all(),
      add: async (record) => {
        try {
          await records.add(record);
        } catch (error) {
          if (files === undefined || codedErrorOf(error)?.code !== 'STORE_UNREACHABLE') throw error;
          // A run tries for some minutes only; a database may be away for longer.
          await files.add(record);
          filesMayWait = true;
        }
      },
    },
    figures: async () => {
      await settle();
      return postgres.postgresReleaseFigures(store);
    },
    reach: settle,
    close: async () => store.close(),
  };
};
