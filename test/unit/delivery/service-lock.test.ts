import { describe, expect, test } from '@jest/globals';
import {
  claimLock,
  keptReleases,
  longestQueue,
  nextEpoch,
  rememberRelease,
  serviceEntityId,
  settleRequest,
  unwoundExcept,
} from '../../../domain/delivery/service-lock.ts';

const claim = (requestId: string) => ({ requestId });
const free = { queue: [] as { requestId: string }[], settledRequestIds: [] as string[] };
const emptyMemory = {
  releases: [] as { release: string; outcome: string }[],
  unwoundReleases: [] as string[],
  unsweptReleases: [] as string[],
};

describe('the queue', () => {
  test('takes a claim once, however often it is made', () => {
    const { queue } = claimLock(free, claim('a'));
    const again = claimLock({ ...free, queue }, claim('a'));
    expect(again).toMatchObject({ queue: [claim('a')], placement: { position: 1 } });
  });

  test('does not take a claim that holds the lock, or is over', () => {
    const held = { ...free, holder: claim('a') };
    expect(claimLock(held, claim('a'))).toMatchObject({ queue: [], placement: { position: 0 } });
    const settled = { ...free, settledRequestIds: ['a'] };
    expect(claimLock(settled, claim('a'))).toMatchObject({ queue: [], placement: { position: 0 } });
  });

  test('is full at its limit, but still knows who is in it', () => {
    const queue = Array.from({ length: longestQueue }, (_, index) => claim(String(index)));
    expect(claimLock({ ...free, queue }, claim('late')).placement).toEqual({
      refused: 'QUEUE_FULL',
    });
    expect(claimLock({ ...free, queue }, claim('3')).placement).toEqual({ position: 4 });
  });

  test('remembers a bounded number of requests', () => {
    const ids = Array.from({ length: 80 }, (_, index) => String(index));
    const settled = ids.reduce<string[]>(settleRequest, []);
    expect(settled).toHaveLength(50);
    expect(settled[0]).toBe('79');
  });
});

describe('the epoch', () => {
  test('leaves room for the way back of the release before', () => {
    expect(nextEpoch(4, 5)).toBe(6);
  });

  test('is above every live fence, also when the entity forgot everything', () => {
    expect(nextEpoch(0, 41)).toBe(42);
  });
});

describe('the memory of releases', () => {
  const deployed = (release: string) => ({ release, outcome: 'deployed' });
  const restored = (release: string) => ({ release, outcome: 'restored-exactly' });

  test('keeps the last five, and the last good one beyond them', () => {
    const names = ['2', '3', '4', '5', '6', '7'];
    const memory = names
      .map(restored)
      .reduce(rememberRelease, rememberRelease(emptyMemory, deployed('1')));
    expect(memory.releases.map(({ release }) => release)).toEqual(['7', '6', '5', '4', '3']);
    expect(memory.lastGood).toEqual(deployed('1'));
    expect(keptReleases(memory)).toEqual(['1']);
  });

  test('a release of the same name that works in the end is not swept any more', () => {
    const failed = rememberRelease(emptyMemory, restored('2'));
    expect(failed).toMatchObject({ unwoundReleases: ['2'], unsweptReleases: ['2'] });
    expect(unwoundExcept(failed.unwoundReleases, '2')).toEqual([]);
    const again = rememberRelease(failed, deployed('2'));
    expect(again).toMatchObject({ unwoundReleases: [], unsweptReleases: [] });
  });

  test('what was adopted is good; what was left as it is is not', () => {
    const adopted = rememberRelease(emptyMemory, { release: '2', outcome: 'adopted' });
    const left = rememberRelease(adopted, { release: '3', outcome: 'left-as-is' });
    expect(left.lastGood?.release).toBe('2');
    expect(keptReleases(left)).toEqual(['2']);
  });
});

test('the entity of a service has one id', () => {
  expect(serviceEntityId('prod', 'cart')).toBe('service:prod:cart');
});
