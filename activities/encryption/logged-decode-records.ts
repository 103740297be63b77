import type { DecodeRecord, DecodeRecords } from './port.ts';

/** The part of a logger that a record needs. */
interface RecordLog {
  info(record: DecodeRecord & { event: string }, message: string): void;
}

/** One structured line of the log for each answer of the codec endpoint. */
export const createLoggedDecodeRecords = (log: RecordLog): DecodeRecords => ({
  async add(record) {
    log.info({ event: 'payloads.decoded', ...record }, 'payloads were decoded');
  },
});
