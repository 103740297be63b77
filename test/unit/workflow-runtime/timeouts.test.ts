import { describe, expect, test } from '@jest/globals';
import { activityTable, timingOf, waitsOf } from '../../../workflows/runtime/timeouts.ts';
import type { ActivityName } from '../../../workflows/runtime/timeouts.ts';

const names = Object.keys(activityTable) as ActivityName[];

/** When the server notices that the worker of an attempt is gone, and tries again. */
const retriedAfterMs = (name: ActivityName): number => {
  const { heartbeatMs, startToCloseMs, firstRetryMs } = timingOf(name, 'test');
  return (heartbeatMs ?? startToCloseMs) + firstRetryMs;
};

describe('the timeout table', () => {
  const mutating = names.filter((name) =>
    [
      'releases.write',
      'releases.revert',
      'releases.prune',
      'workloads.setPaused',
      'workloads.retire',
    ].includes(name),
  );

  test('in the test profile what a killed worker was writing is tried again within three seconds', () => {
    expect(mutating).toHaveLength(5);
    expect(mutating.filter((name) => retriedAfterMs(name) > 3_000)).toEqual([]);
  });

  test.each(names)('%s: what waits heartbeats, and everything ends', (name) => {
    for (const profile of ['standard', 'test'] as const) {
      const timing = timingOf(name, profile);
      expect(timing.startToCloseMs).toBeGreaterThan(0);
      const waits = activityTable[name].kind === 'wait';
      expect(timing.heartbeatMs !== undefined).toBe(waits);
      expect(timing.scheduleToCloseMs ?? timing.startToCloseMs).toBeGreaterThanOrEqual(
        timing.startToCloseMs,
      );
    }
  });

  test('an abort waits less than two seconds for a write', () => {
    expect(waitsOf('standard').writeGraceMs).toBeLessThan(2_000);
    expect(waitsOf('test').writeGraceMs).toBeLessThan(2_000);
  });
});
