import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { KeyManagement } from '../../activities/encryption/port.ts';

const unreadable = { type: 'BLOB_UNREADABLE', nonRetryable: true };

/** The promises of a key management, whoever keeps the keys. */
export const describeKeyManagement = (
  name: string,
  openKeys: () => Promise<KeyManagement>,
): void => {
  describe(`data keys wrapped by ${name}`, () => {
    let keys: KeyManagement;
    const dataKey = randomBytes(32);

    beforeEach(async () => {
      keys = await openKeys();
    });

    test('come back in the place that they were wrapped for, and do not show', async () => {
      const wrapped = await keys.wrap(dataKey, 'here');
      expect(Buffer.from(wrapped.wrapped).includes(dataKey)).toBe(false);
      expect(Buffer.from(wrapped.wrapped).toString()).not.toContain(dataKey.toString('base64'));
      expect(Buffer.from(await keys.unwrap(wrapped, 'here'))).toEqual(dataKey);
      expect(wrapped.keyId).toBe((await keys.describe()).keyId);
    });

    test('stay shut in any other place', async () => {
      const wrapped = await keys.wrap(dataKey, 'here');
      await expect(keys.unwrap(wrapped, 'there')).rejects.toMatchObject(unreadable);
    });

    test('stay shut when they were altered', async () => {
      const { keyId, wrapped } = await keys.wrap(dataKey, 'here');
      const altered = Buffer.from(wrapped);
      const last = altered.length - 6;
      altered.writeUInt8(altered.readUInt8(last) === 65 ? 66 : 65, last);
      const opening = keys.unwrap({ keyId, wrapped: altered }, 'here');
      await expect(opening).rejects.toMatchObject(unreadable);
    });

    test('stay readable when the key that wraps is changed', async () => {
      const before = await keys.describe();
      const old = await keys.wrap(dataKey, 'here');
      const after = await keys.rotate();
      expect(after.keyId).not.toBe(before.keyId);
      expect(after.readableKeys).toBe(before.readableKeys + 1);
      expect(Buffer.from(await keys.unwrap(old, 'here'))).toEqual(dataKey);
      expect((await keys.wrap(dataKey, 'here')).keyId).toBe(after.keyId);
    });
  });
};
