import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  replicaShare,
  shareByPodsText,
  type WantedShare,
} from '../../../domain/delivery/replica-share.ts';

const share = (weightPercent: number, replicas: number, surges: boolean) => {
  const { candidate, stable, achievedPercent } = replicaShare({ weightPercent, replicas, surges });
  return [candidate, stable, achievedPercent];
};

describe('a share that the numbers of pods make', () => {
  test.each([
    { title: '10 % of 3 pods with a surge', of: [10, 3, true], is: [1, 3, 25] },
    { title: '10 % of 3 pods without', of: [10, 3, false], is: [1, 2, 33.3] },
    { title: '10 % of 10 pods', of: [10, 10, true], is: [1, 9, 10] },
    { title: '50 % of 3 pods with a surge', of: [50, 3, true], is: [2, 2, 50] },
    {
      title: '50 % of 3 pods without: the tie goes to the new one',
      of: [50, 3, false],
      is: [2, 1, 66.7],
    },
    { title: '95 % of 3 pods keeps one old pod', of: [95, 3, true], is: [3, 1, 75] },
    { title: '33 % of 3 pods', of: [33, 3, true], is: [1, 2, 33.3] },
    { title: '10 % of 1 pod with a surge', of: [10, 1, true], is: [1, 1, 50] },
    { title: '10 % of 1 pod without', of: [10, 1, false], is: [0, 1, 0] },
    { title: '60 % of 1 pod without', of: [60, 1, false], is: [1, 0, 100] },
    { title: 'nothing', of: [0, 4, true], is: [0, 4, 0] },
    { title: 'everything', of: [100, 4, true], is: [4, 0, 100] },
  ] as const)('$title', ({ of: [weightPercent, replicas, surges], is }) => {
    expect(share(weightPercent, replicas, surges)).toEqual(is);
  });

  test('is said with its pods', () => {
    const wanted = { weightPercent: 10, replicas: 3, surges: true };
    expect(shareByPodsText(replicaShare(wanted))).toBe('1 of 4 pods, 25 %');
  });

  const anyWanted: fc.Arbitrary<WantedShare> = fc.record({
    weightPercent: fc.integer({ min: 0, max: 100 }),
    replicas: fc.integer({ min: 1, max: 400 }),
    surges: fc.boolean(),
  });

  test('never has more pods than it may, nor less than all the traffic needs', () => {
    fc.assert(
      fc.property(anyWanted, (wanted) => {
        const { candidate, stable } = replicaShare(wanted);
        const total = candidate + stable;
        expect(Math.min(candidate, stable)).toBeGreaterThanOrEqual(0);
        expect(total).toBeGreaterThanOrEqual(wanted.replicas);
        expect(total).toBeLessThanOrEqual(wanted.replicas + (wanted.surges ? 1 : 0));
      }),
    );
  });

  test('leaves both versions a pod wherever there are two', () => {
    fc.assert(
      fc.property(anyWanted, (wanted) => {
        fc.pre(wanted.weightPercent > 0 && wanted.weightPercent < 100);
        fc.pre(wanted.replicas > 1 || wanted.surges);
        const { candidate, stable } = replicaShare(wanted);
        expect(Math.min(candidate, stable)).toBeGreaterThan(0);
      }),
    );
  });

  test('no other whole numbers beside the wanted share come closer', () => {
    fc.assert(
      fc.property(anyWanted, (wanted) => {
        const { weightPercent, replicas, surges } = wanted;
        fc.pre(weightPercent > 0 && weightPercent < 100);
        const found = replicaShare(wanted);
        const offBy = (candidate: number, total: number): number =>
          Math.abs((100 * candidate) / total - weightPercent);
        const off = offBy(found.candidate, found.candidate + found.stable);
        for (let candidate = 1; candidate <= replicas; candidate += 1) {
          if (Math.abs(candidate * 100 - weightPercent * replicas) >= 100) continue;
          if (candidate < replicas)
            expect(off).toBeLessThanOrEqual(offBy(candidate, replicas) + 1e-9);
          if (surges) expect(off).toBeLessThanOrEqual(offBy(candidate, replicas + 1) + 1e-9);
        }
      }),
    );
  });
});
