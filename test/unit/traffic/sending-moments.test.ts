import { describe, expect, test } from '@jest/globals';
import { sendingMoments } from '../../../activities/traffic/sending-moments.ts';
import { seededGenerator } from '../../../scripts/judge/seeded-generator.ts';

describe('the moments of requests', () => {
  const { uniform: random } = seededGenerator(20_261_122n);
  const moments = (total: number, requestsPerSecond: number): number[] => [
    ...sendingMoments({ total, requestsPerSecond }, random),
  ];

  test.each([
    { total: 1, requestsPerSecond: 0.5 },
    { total: 7, requestsPerSecond: 2 },
    { total: 503, requestsPerSecond: 50 },
    { total: 1_000, requestsPerSecond: 500 },
  ])('$total at $requestsPerSecond/s ascend, and end with their window', (paced) => {
    const all = moments(paced.total, paced.requestsPerSecond);
    expect(all).toHaveLength(paced.total);
    expect(all).toEqual(all.toSorted((left, right) => left - right));
    expect(all.at(-1)).toBeLessThan((paced.total / paced.requestsPerSecond) * 1_000);
  });

  test('are as many in each second as are asked for', () => {
    const all = moments(500, 50);
    for (let second = 0; second < 10; second += 1) {
      const inSecond = all.filter((momentMs) => Math.floor(momentMs / 1_000) === second);
      expect(inSecond).toHaveLength(50);
    }
  });

  // Every tenth request of all is the candidate's; the others come every five milliseconds.
  test('meet a candidate at 10 % beside users who keep time, whenever these begin', () => {
    const probed = 250;
    for (let phaseMs = 0; phaseMs < 5; phaseMs += 0.5) {
      for (let turn = 0; turn < 10; turn += 1) {
        const met = moments(probed, 50).filter((momentMs, index) => {
          const users = Math.floor((momentMs + phaseMs) / 5);
          return (users + index) % 10 === turn;
        });
        // 10 % of them; three and a half standard deviations on each side.
        expect(met.length).toBeGreaterThan(8);
        expect(met.length).toBeLessThan(42);
      }
    }
  });
});
