import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ReleaseRecords } from '../../activities/store/port.ts';
import type { EndedRelease } from '../../domain/delivery/ended-release.ts';

const runId = (serial: number): string =>
  `0191f0a0-0000-7000-8000-${String(serial).padStart(12, '0')}`;

/** A release as a run tells it. */
export const endedRelease = (
  serial: number,
  differences: Partial<EndedRelease> = {},
): EndedRelease => ({
  runId: runId(serial),
  service: 'shop',
  environment: 'production',
  release: `1.${String(serial)}`,
  ending: 'deployed',
  endedAtMs: 1_700_000_000_123 + serial,
  ...differences,
});

const byRun = (records: readonly EndedRelease[]): EndedRelease[] =>
  records.toSorted((a, b) => (a.runId < b.runId ? -1 : 1));

/** The promises of release records, whatever keeps them. */
export const describeReleaseRecords = (
  name: string,
  openRecords: () => Promise<ReleaseRecords>,
): void => {
  describe(`release records in ${name}`, () => {
    let records: ReleaseRecords;

    beforeEach(async () => {
      records = await openRecords();
    });

    test('are none before the first, and come back as they were', async () => {
      expect(await records.all()).toEqual([]);
      const told = [
        endedRelease(1, { leadTimeMs: 1_800_000 }),
        endedRelease(2, { ending: 'failed', restoreMs: 12_500.25 }),
        endedRelease(3, { ending: 'aborted', restoreMs: 0, release: `o'hara "2" \\ ü 🚢` }),
      ];
      for (const record of told) await records.add(record);
      expect(byRun(await records.all())).toEqual(told);
    });

    test('hold a run once, also when it is told again, at once or otherwise', async () => {
      const first = endedRelease(1);
      await Promise.all(Array.from({ length: 8 }, async () => records.add(first)));
      await records.add({ ...first, ending: 'failed' });
      await records.add(endedRelease(2));
      expect(byRun(await records.all())).toEqual([first, endedRelease(2)]);
    });

    test('hold all that are told at the same time', async () => {
      const told = Array.from({ length: 50 }, (_, serial) => endedRelease(serial));
      await Promise.all(told.map(async (record) => records.add(record)));
      expect(byRun(await records.all())).toEqual(told);
    });

    test.each(['', '../../etc/passwd', "1'; drop table release_record"])(
      'refuse %j as the id of a run',
      async (badId) => {
        await expect(records.add(endedRelease(1, { runId: badId }))).rejects.toMatchObject({
          type: 'INVALID_INPUT',
          nonRetryable: true,
        });
        expect(await records.all()).toEqual([]);
      },
    );
  });
};
