import { describe, expect, test } from '@jest/globals';
import type { AccessGrant, AccessGrants } from '../../domain/security/access-grant.ts';

export const grantTo = (user: string, changes: Partial<AccessGrant> = {}): AccessGrant => ({
  role: 'operator',
  holder: { user },
  change: 'ops-1',
  ...changes,
});

/** What every store of grants does. */
export const describeAccessGrants = (name: string, open: () => Promise<AccessGrants>): void => {
  describe(`access grants in ${name}`, () => {
    test('are none before the first write', async () => {
      const grants = await open();
      expect(await grants.current()).toEqual({ version: 0, grants: [] });
      expect(await grants.written('ops-1/give')).toBeUndefined();
    });

    test('are found as they were written, and each version stays under its id', async () => {
      const grants = await open();
      const first = [
        grantTo('ana@example.com', { environments: ['prod'], untilMs: 1_780_000_000_123 }),
        grantTo('x', { role: 'a "role"\n', holder: { group: 'shop-team \u2028 🚢' } }),
      ];
      const wrote = await grants.write({ id: 'ops-1/give', basedOn: 0, grants: first });
      expect(wrote).toEqual({ version: 1, grants: first });
      expect(await grants.current()).toEqual(wrote);
      expect(await grants.write({ id: 'ops-1/end', basedOn: 1, grants: [] })).toEqual({
        version: 2,
        grants: [],
      });
      expect(await grants.current()).toEqual({ version: 2, grants: [] });
      expect(await grants.written('ops-1/give')).toEqual(wrote);
      expect(await grants.at(1)).toEqual(wrote);
      expect(await grants.at(3)).toBeUndefined();
      expect(await grants.at(0)).toBeUndefined();
    });

    test('are written once, however often the write is repeated', async () => {
      const grants = await open();
      const write = { id: 'ops-1/give', basedOn: 0, grants: [grantTo('ana@example.com')] };
      const wrote = await grants.write(write);
      expect(await grants.write(write)).toEqual(wrote);
      await grants.write({ id: 'ops-2/give', basedOn: 1, grants: [] });
      // The repeat of an attempt whose answer was lost may come late, and from another base.
      expect(await grants.write({ ...write, basedOn: 2, grants: [] })).toEqual(wrote);
      expect(await grants.current()).toEqual({ version: 2, grants: [] });
    });

    test('are not written over a version that the writer has not seen', async () => {
      const grants = await open();
      await grants.write({ id: 'ops-1/give', basedOn: 0, grants: [grantTo('ana@example.com')] });
      const before = await grants.current();
      for (const basedOn of [0, 2, 7]) {
        await expect(grants.write({ id: 'ops-2/give', basedOn, grants: [] })).rejects.toMatchObject(
          { type: 'ACCESS_CHANGED', nonRetryable: false },
        );
      }
      expect(await grants.current()).toEqual(before);
      expect(await grants.written('ops-2/give')).toBeUndefined();
    });

    test('are written once for what was signed, whoever shows it again', async () => {
      const grants = await open();
      const write = { request: 'signed-1', basedOn: 0, grants: [grantTo('ana@example.com')] };
      const wrote = await grants.write({ id: 'run-1/give', ...write });
      await grants.write({ id: 'run-1/end', basedOn: 1, grants: [] });
      const again = { id: 'run-2/give', ...write, basedOn: 2 };
      await expect(grants.write(again)).rejects.toMatchObject({
        ...{ type: 'IDENTITY_UNPROVEN', nonRetryable: true },
      });
      expect(await grants.current()).toEqual({ version: 2, grants: [] });
      expect(await grants.write({ id: 'run-1/give', ...write })).toEqual(wrote);
    });

    test('of several writers at once are those of one', async () => {
      const grants = await open();
      const attempt = async (id: string): Promise<string | undefined> =>
        grants.write({ id, basedOn: 0, grants: [grantTo(id)] }).then(
          () => id,
          (error: unknown) => {
            expect(error).toMatchObject({ type: 'ACCESS_CHANGED' });
            return undefined;
          },
        );
      const ids = Array.from({ length: 8 }, (_, index) => `ops-${String(index)}/give`);
      const winners = (await Promise.all(ids.map(attempt))).filter((id) => id !== undefined);
      expect(winners).toHaveLength(1);
      expect(await grants.current()).toEqual({ version: 1, grants: [grantTo(winners[0] ?? '')] });
    });

    test('of one write that is sent several times at once are one version', async () => {
      const grants = await open();
      const write = { id: 'ops-1/give', basedOn: 0, grants: [grantTo('ana@example.com')] };
      const answers = await Promise.all(Array.from({ length: 5 }, async () => grants.write(write)));
      expect(answers).toEqual(answers.map(() => ({ version: 1, grants: write.grants })));
      expect(await grants.current()).toMatchObject({ version: 1 });
    });
  });
};
