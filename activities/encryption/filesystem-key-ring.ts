import { createSecretKey } from 'node:crypto';
import { codedFailure } from '../coded-failure.ts';
import { readKeyRingFile } from './key-ring-file.ts';
import type { KeyRing, RingKey } from './port.ts';

interface LoadedRing {
  active: RingKey;
  readable: ReadonlyMap<string, RingKey>;
  revoked: ReadonlySet<string>;
}

const load = async (file: string): Promise<LoadedRing> => {
  const keys = await readKeyRingFile(file);
  const readable = new Map<string, RingKey>();
  let active: RingKey | undefined;
  for (const { id, state, key } of keys) {
    if (state === 'revoked') continue;
    const loaded = { id, secret: createSecretKey(key, 'base64') };
    readable.set(id, loaded);
    if (state === 'active') active = loaded;
  }
  if (active === undefined) throw new Error(`the key ring ${file} has no active key`);
  const revoked = keys.filter(({ state }) => state === 'revoked').map(({ id }) => id);
  return { active, readable, revoked: new Set(revoked) };
};

/**
 * The key ring in a file. It is read now, and again whenever something was sealed with a key that
 * is not in it: after a rotation that another process has noticed first, both understand each
 * other without a restart.
 *
 * @throws CONFIGURATION_INVALID if the file is missing, wrong, or others may read it
 */
export const openKeyRing = async (file: string): Promise<KeyRing> => {
  let ring = await load(file);
  const refuseRevoked = (id: string): void => {
    if (!ring.revoked.has(id)) return;
    throw codedFailure({
      code: 'PAYLOAD_KEY_REVOKED',
      message: `The key ${id} is revoked in the key ring ${file}; what it sealed was not opened.`,
      subject: id,
    });
  };
  return {
    active: async () => ring.active,
    find: async (id) => {
      if (!ring.readable.has(id) && !ring.revoked.has(id)) ring = await load(file);
      refuseRevoked(id);
      const key = ring.readable.get(id);
      if (key !== undefined) return key;
      throw codedFailure({
        code: 'PAYLOAD_KEY_MISSING',
        message: `The key ${id} is not in the key ring ${file}; what it sealed was not opened.`,
        subject: id,
      });
    },
  };
};
