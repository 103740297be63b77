import { describe, expect, test } from '@jest/globals';
import {
  ringProblems,
  withNewKey,
  withRevokedKey,
  type KeyEntry,
  type KeyState,
} from '../../../domain/security/key-ring.ts';

const key = (id: string, state: KeyState): KeyEntry => ({
  id,
  state,
  createdAt: '2026-01-01T00:00:00.000Z',
});

describe('a key ring', () => {
  test('has one key to write with and each id once', () => {
    expect(ringProblems([key('a', 'read-only'), key('b', 'active')])).toEqual([]);
    expect(ringProblems([key('a', 'read-only')])).toEqual([
      'exactly one key must be active, and 0 are',
    ]);
    expect(ringProblems([key('a', 'active'), key('a', 'active'), key('a', 'revoked')])).toEqual([
      'exactly one key must be active, and 2 are',
      'the id a is there twice',
    ]);
  });

  test('keeps the old key for reading, and what is revoked revoked, when a new one comes', () => {
    const keys = withNewKey([key('a', 'revoked'), key('b', 'active')], key('c', 'read-only'));
    expect(keys.map(({ id, state }) => [id, state])).toEqual([
      ['a', 'revoked'],
      ['b', 'read-only'],
      ['c', 'active'],
    ]);
    expect(ringProblems(keys)).toEqual([]);
  });

  test('gives up a key that does not write, and only one that is there', () => {
    const keys = [key('a', 'read-only'), key('b', 'active')];
    expect(withRevokedKey(keys, 'a')).toEqual([key('a', 'revoked'), key('b', 'active')]);
    expect(withRevokedKey(keys, 'b')).toBe('active');
    expect(withRevokedKey(keys, 'c')).toBe('unknown');
  });
});
