import { describe, expect, test } from '@jest/globals';
import type { AccessKeyEntry, AccessKeys } from '../../domain/security/access-key.ts';

const entry = (id: string, changes: Partial<AccessKeyEntry> = {}): AccessKeyEntry => ({
  id,
  holder: 'rita@example.com',
  publicKey: 'A'.repeat(43),
  scope: { environments: ['staging'], actions: [] },
  createdAt: '2026-03-01T00:00:00.000Z',
  expiresAt: '2026-06-01T00:00:00.000Z',
  ...changes,
});

/** What every store of access keys does. */
export const describeAccessKeys = (name: string, open: () => Promise<AccessKeys>): void => {
  describe(`access keys in ${name}`, () => {
    test('are found as they were added, the newest first in the list', async () => {
      const keys = await open();
      const later = entry('a-2', { createdAt: '2026-03-02T00:00:00.000Z' });
      await keys.add(entry('a-1'));
      await keys.add(later);
      expect(await keys.find('a-1')).toEqual(entry('a-1'));
      expect(await keys.find('a-3')).toBeUndefined();
      expect(await keys.list()).toEqual([later, entry('a-1')]);
    });

    test('stay revoked as of the first time', async () => {
      const keys = await open();
      await keys.add(entry('a-1'));
      expect(await keys.revoke('a-1', '2026-04-01T00:00:00.000Z')).toBe(true);
      expect(await keys.revoke('a-1', '2026-05-01T00:00:00.000Z')).toBe(true);
      expect(await keys.revoke('a-9', '2026-05-01T00:00:00.000Z')).toBe(false);
      expect(await keys.find('a-1')).toEqual(
        entry('a-1', { revokedAt: '2026-04-01T00:00:00.000Z' }),
      );
    });

    test('end earlier, and never later than they would have', async () => {
      const keys = await open();
      await keys.add(entry('a-1'));
      expect(await keys.endAt('a-1', '2026-07-01T00:00:00.000Z')).toBe(true);
      expect((await keys.find('a-1'))?.expiresAt).toBe('2026-06-01T00:00:00.000Z');
      expect(await keys.endAt('a-1', '2026-04-01T00:00:00.000Z')).toBe(true);
      expect((await keys.find('a-1'))?.expiresAt).toBe('2026-04-01T00:00:00.000Z');
      expect(await keys.endAt('a-9', '2026-04-01T00:00:00.000Z')).toBe(false);
    });
  });
};
