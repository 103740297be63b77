import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  giveUp,
  isSettled,
  recordCompensation,
  retryFailed,
  settle,
  skipFailed,
  undoable,
} from '../../../domain/shared/saga-ledger.ts';
import type { Ledger, NewEntry } from '../../../domain/shared/saga-ledger.ts';

const ledgerOf = (...entries: (string | NewEntry)[]): Ledger =>
  entries
    .map((entry) => (typeof entry === 'string' ? { step: entry, service: 'shop' } : entry))
    .reduce<Ledger>(recordCompensation, []);

const names = (ledger: Ledger): string[] => undoable(ledger).map(({ step }) => step);
const done = { outcome: 'undone', note: '' } as const;
const failed = { outcome: 'failed', note: 'no', error: { code: 'X', message: 'no' } } as const;

describe('what is undone when', () => {
  test('last in, first out', () => {
    let ledger = ledgerOf('a', 'b', 'c');
    const order: string[] = [];
    while (!isSettled(ledger)) {
      const [step = ''] = names(ledger);
      order.push(step);
      ledger = settle(ledger, step, done);
    }
    expect(order).toEqual(['c', 'b', 'a']);
  });

  test('a step that is recorded twice is undone once', () => {
    expect(ledgerOf('a', 'b', 'a').map(({ step }) => step)).toEqual(['a', 'b']);
  });

  test('what failed holds back all earlier steps of its service and nothing of another', () => {
    const ledger = ledgerOf('a', { step: 'other', service: 'cart' }, 'b', 'c');
    const stuck = settle(ledger, 'c', failed);
    expect(names(stuck)).toEqual(['other']);
    expect(isSettled(settle(stuck, 'other', done))).toBe(false);
  });

  test('a step holds back only what it names, where it names something', () => {
    const ledger = ledgerOf('config', 'label', {
      step: 'pods',
      service: 'shop',
      holdsBack: ['config'],
    });
    expect(names(settle(ledger, 'pods', failed))).toEqual(['label']);
  });

  test('entries of one group do not wait for each other', () => {
    const grouped = (step: string): NewEntry => ({ step, service: 'shop', group: 'config' });
    expect(names(ledgerOf('first', grouped('x'), grouped('y')))).toEqual(['y', 'x']);
  });
});

describe('what an operator does about a failed step', () => {
  const stuck = settle(ledgerOf('a', 'b', 'c'), 'c', failed);

  test('retryCompensation: it is tried again, before what it held back', () => {
    expect(names(retryFailed(stuck))).toEqual(['c']);
  });

  test('skip: it stays as it is, the rest goes on', () => {
    const skipped = skipFailed(stuck, 'left by ana');
    expect(names(skipped)).toEqual(['b']);
    expect(skipped[2]).toMatchObject({
      state: 'skipped',
      note: 'left by ana',
      error: { code: 'X' },
    });
  });

  test('abort: everything that is left stays as it is', () => {
    const given = giveUp(stuck, 'left by ana');
    expect(isSettled(given)).toBe(true);
    expect(given.map(({ state }) => state)).toEqual(['skipped', 'skipped', 'skipped']);
  });

  test('a retry that works forgets the error', () => {
    const undone = settle(retryFailed(stuck), 'c', done);
    expect(undone[2]).not.toHaveProperty('error');
  });
});

test('no earlier step of a service is ever undone before a later one, whatever fails', () => {
  const steps = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 8 });
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.boolean()), (all, fails) => {
      let ledger = ledgerOf(...all);
      const undone: string[] = [];
      for (let rounds = 0; rounds < 100 && !isSettled(ledger); rounds += 1) {
        const [next] = undoable(ledger);
        if (next === undefined) ledger = retryFailed(ledger);
        else if (fails.next().value) ledger = settle(ledger, next.step, failed);
        else {
          undone.push(next.step);
          ledger = settle(ledger, next.step, done);
        }
      }
      return undone.join() === [...all].reverse().slice(0, undone.length).join();
    }),
  );
});
