import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from '../../../domain/delivery/canonical-json.ts';
import { rebase } from '../../../domain/delivery/three-way.ts';
import { randomObject } from './random-objects.ts';

const asText = canonicalJson;

describe('carrying a change over to an object that others edit', () => {
  test('an untouched object becomes exactly what is wanted', () => {
    fc.assert(
      fc.property(randomObject, randomObject, (from, to) => {
        const { target, conflicts } = rebase({ from, to, live: from });
        expect([asText(target), conflicts]).toEqual([asText(to), []]);
      }),
    );
  });

  test('an object that already is as wanted stays as it is', () => {
    fc.assert(
      fc.property(randomObject, randomObject, (from, to) => {
        const { target, conflicts } = rebase({ from, to, live: to });
        expect([asText(target), conflicts]).toEqual([asText(to), []]);
      }),
    );
  });

  test('no change leaves whatever there is', () => {
    fc.assert(
      fc.property(randomObject, randomObject, (from, live) => {
        const { target, conflicts } = rebase({ from, to: from, live });
        expect([asText(target), conflicts]).toEqual([asText(live), []]);
      }),
    );
  });

  test('doing it twice is doing it once', () => {
    fc.assert(
      fc.property(randomObject, randomObject, randomObject, (from, to, live) => {
        const once = rebase({ from, to, live });
        const twice = rebase({ from, to, live: once.target });
        expect([asText(twice.target), twice.conflicts.length]).toEqual([
          asText(once.target),
          once.conflicts.length,
        ]);
      }),
    );
  });

  test('there and back, a foreign field in between survives', () => {
    const before = { image: 'shop:1', env: [{ name: 'A', value: '1' }] };
    const after = { image: 'shop:2', env: [{ name: 'A', value: '2' }] };
    const edited = {
      ...after,
      env: [...after.env, { name: 'FOREIGN', value: 'yes' }],
      paused: true,
    };
    const { target, conflicts } = rebase({ from: after, to: before, live: edited });
    expect(target).toEqual({
      image: 'shop:1',
      env: [
        { name: 'A', value: '1' },
        { name: 'FOREIGN', value: 'yes' },
      ],
      paused: true,
    });
    expect(conflicts).toEqual([]);
  });

  test.each([
    ['a scalar', { a: 1 }, { a: 2 }, { a: 3 }, ['/a']],
    ['a list without names', { a: [1] }, { a: [1, 2] }, { a: [1, 2, 3] }, ['/a']],
    ['a map that was deleted', { a: { b: 1 } }, { a: { b: 2 } }, {}, ['/a']],
    [
      'a field that was deleted',
      { a: { b: 1, c: 1 } },
      { a: { b: 2, c: 1 } },
      { a: { c: 1 } },
      ['/a/b'],
    ],
  ])('%s that someone else changed too is kept and listed', (...row) => {
    const [, from, to, live, fields] = row;
    const { target, conflicts } = rebase({ from, to, live });
    expect([target, conflicts]).toEqual([live, fields]);
  });

  test('an element that we added and someone else changed stays whole and is listed', () => {
    const containers = [{ name: 'proxy', image: 'proxy:1', level: 0 }];
    const edited = { containers: [{ name: 'proxy', image: 'proxy:1', level: 3 }] };
    expect(rebase({ from: { containers }, to: { containers: [] }, live: edited })).toEqual({
      target: edited,
      conflicts: ['/containers/0'],
    });
  });

  test('a map that we added loses our entries and keeps those of others', () => {
    const from = { nodeSelector: { zone: 'a' } };
    const live = { nodeSelector: { zone: 'a', disk: 'ssd' } };
    expect(rebase({ from, to: {}, live })).toEqual({
      target: { nodeSelector: { disk: 'ssd' } },
      conflicts: [],
    });
    expect(rebase({ from, to: {}, live: from })).toEqual({ target: {}, conflicts: [] });
  });
});
