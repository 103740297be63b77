import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { returnMove } from '../../../domain/delivery/traffic-return.ts';
import type { ReturnFacts } from '../../../domain/delivery/traffic-return.ts';

const facts = (
  stable: { wanted: number; ready: number },
  more: { candidate?: number | undefined; isRaised?: boolean } = {},
): ReturnFacts => ({
  plannedPods: 10,
  stable: { wantedPods: stable.wanted, readyPods: stable.ready },
  candidate: { givenPods: 10, readyPods: 'candidate' in more ? more.candidate : 10 },
  isRaised: more.isRaised ?? false,
});

describe('traffic that goes back to the stable workload', () => {
  test('goes back at once where its ready pods carry it', () => {
    expect(returnMove(facts({ wanted: 10, ready: 10 }))).toEqual({ weightPercent: 0 });
    expect(returnMove(facts({ wanted: 14, ready: 12 }))).toEqual({ weightPercent: 0 });
  });

  test('goes back in proportion to its ready pods, and it gets the pods that it lacks', () => {
    expect(returnMove(facts({ wanted: 2, ready: 2 }))).toEqual({
      weightPercent: 80,
      raiseTo: 10,
      nextAtPods: 4,
    });
    expect(returnMove(facts({ wanted: 10, ready: 9 }, { isRaised: true }))).toEqual({
      weightPercent: 10,
      nextAtPods: 10,
    });
  });

  test('does not move where it has no ready pod', () => {
    expect(returnMove(facts({ wanted: 0, ready: 0 }))).toEqual({
      weightPercent: 100,
      raiseTo: 10,
      nextAtPods: 2,
    });
  });

  test('counts the pods to which the candidate has grown, as far as it can be raised', () => {
    const grown = { candidate: 20 };
    expect(returnMove(facts({ wanted: 10, ready: 10 }, grown))).toMatchObject({
      weightPercent: 50,
      raiseTo: 20,
    });
    // The number of pods is not ours to raise: it is full when it has all that it wants.
    const refused = { ...grown, isRaised: true };
    expect(returnMove(facts({ wanted: 10, ready: 10 }, refused))).toEqual({ weightPercent: 0 });
  });

  test('goes to whoever is ready where the candidate has no ready pod, never to nobody', () => {
    const gone = { candidate: 0 };
    expect(returnMove(facts({ wanted: 10, ready: 1 }, gone))).toEqual({ weightPercent: 0 });
    expect(returnMove(facts({ wanted: 10, ready: 0 }, gone))).toEqual({
      weightPercent: 100,
      nextAtPods: 1,
    });
    expect(returnMove(facts({ wanted: 10, ready: 1 }, { candidate: undefined }))).toMatchObject({
      weightPercent: 90,
    });
  });

  test('never gives a ready pod more than its part, and ends within six moves', () => {
    const counts = fc.record({
      plannedPods: fc.integer({ min: 1, max: 200 }),
      readyPods: fc.integer({ min: 0, max: 200 }),
      grownTo: fc.integer({ min: 1, max: 400 }),
    });
    fc.assert(
      fc.property(counts, ({ plannedPods, readyPods, grownTo }) => {
        let ready = readyPods;
        for (let moves = 0; ; moves += 1) {
          const move = returnMove({
            plannedPods,
            stable: { wantedPods: 400, readyPods: ready },
            candidate: { givenPods: plannedPods, readyPods: grownTo },
            isRaised: moves > 0,
          });
          const needed = Math.max(plannedPods, grownTo);
          expect((100 - move.weightPercent) * needed).toBeLessThanOrEqual(100 * ready);
          if (move.nextAtPods === undefined) return;
          expect(moves).toBeLessThan(6);
          ready = move.nextAtPods;
        }
      }),
    );
  });
});
