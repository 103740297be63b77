import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type {
  ProbeTarget,
  Probes,
  WatchOutcome,
  WatchRequest,
} from '../../activities/traffic/port.ts';

/** What one version answers: its share of the requests, and the share of those that fail. */
export interface AnsweringVersion {
  version: string;
  share: number;
  failureRatio: number;
}

/** Probes with something to send to. */
export interface ProbeSite {
  target: ProbeTarget;
  /** Address of something that is not the service; it answers 200 until it is broken. */
  elsewhere: string;
  breakElsewhere(): Promise<void>;
  /** Calls the probes as an activity. */
  run<T>(call: (probes: Probes) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const window = { path: '/', windowMs: 400, requestsPerSecond: 100, stopAtFailures: 1_000 };
const versionHeader = 'X-Version';
const calm = { version: '1', share: 0.75, failureRatio: 0 };
const shaky = { version: '2', share: 0.25, failureRatio: 0.5 };

/** The promises of the probes, whether or not they send anything. */
export const describeProbes = (
  name: string,
  openSite: (versions: readonly AnsweringVersion[]) => Promise<ProbeSite>,
): void => {
  describe(`probes ${name}`, () => {
    let site: ProbeSite;

    beforeEach(async () => {
      site = await openSite([calm, shaky]);
    });

    afterEach(() => site.close());

    const watch = (settings: Partial<WatchRequest>): Promise<WatchOutcome> =>
      site.run((probes) => probes.watch({ ...site.target, ...window, ...settings }));

    test('count by version, and the parts make the whole', async () => {
      const outcome = await watch({ versionHeader });
      expect(outcome).toMatchObject({
        measured: true,
        counts: {
          samples: 40,
          failures: 5,
          lastFailure: expect.stringContaining('500'),
          versions: expect.arrayContaining([
            expect.objectContaining({ version: '1', samples: 30, failures: 0 }),
            expect.objectContaining({ version: '2', samples: 10, failures: 5 }),
          ]),
        },
      });
    });

    test('do not speak of versions where nobody asked for them', async () => {
      const outcome = await watch({});
      expect(outcome).toEqual({
        measured: true,
        counts: {
          samples: 40,
          failures: 5,
          latencyP50Ms: expect.any(Number),
          latencyP99Ms: expect.any(Number),
          lastFailure: expect.stringContaining('500'),
        },
      });
      const smoked = await site.run((probes) =>
        probes.smoke({
          ...site.target,
          checks: [{ path: '/', expectStatus: 200 }],
          deadlineMs: 5_000,
        }),
      );
      expect(smoked).toMatchObject({ measured: true, checks: [{ passed: true }] });
      expect(smoked).not.toHaveProperty('checks.0.version');
    });

    test('say which version passed a smoke check', async () => {
      const checks = [{ path: '/', expectStatus: 200 }];
      const outcome = await site.run((probes) =>
        probes.smoke({ ...site.target, versionHeader, checks, deadlineMs: 5_000 }),
      );
      expect(outcome).toMatchObject({
        measured: true,
        checks: [{ check: checks[0], passed: true, version: '1' }],
      });
    });

    test('reach an address that is not the service, and say what it answered', async () => {
      const check = { url: site.elsewhere, expectStatus: 200 };
      const request = { environment: site.target.environment, check, deadlineMs: 500 };
      expect(await site.run((probes) => probes.reach(request))).toMatchObject({ passed: true });
      await site.breakElsewhere();
      expect(await site.run((probes) => probes.reach(request))).toMatchObject({
        passed: false,
        answer: expect.stringContaining('500'),
      });
    });

    test('end a window at the limit of all failures', async () => {
      const outcome = await watch({ versionHeader, windowMs: 20_000, stopAtFailures: 3 });
      expect(outcome).toMatchObject({ counts: { failures: 3 } });
      expect(samplesOf(outcome)).toBeLessThan(2_000);
    });

    test('end a window at the limit of one version, and not at that of another', async () => {
      const stopAtFailuresOf = { version: '2', failures: 4 };
      const ended = await watch({ versionHeader, windowMs: 20_000, stopAtFailuresOf });
      expect(ended).toMatchObject({
        counts: {
          versions: expect.arrayContaining([
            expect.objectContaining({ version: '2', failures: 4 }),
          ]),
        },
      });
      expect(samplesOf(ended)).toBeLessThan(2_000);
      const other = { version: '1', failures: 1 };
      expect(samplesOf(await watch({ versionHeader, stopAtFailuresOf: other }))).toBe(40);
    });

    test('end a window when its failures are surely too many, with those before it', async () => {
      const stopAtFailuresOf = { version: '2', failures: 1_000 };
      const stopWhenSure = {
        maxFailureRatio: 0.01,
        minSamples: 4,
        earlier: { samples: 0, failures: 0 },
      };
      const long = { versionHeader, windowMs: 20_000, stopAtFailuresOf };
      const ended = await watch({ ...long, stopWhenSure });
      expect(ended).toMatchObject({ counts: { endedEarly: true } });
      expect(samplesOf(ended)).toBeLessThan(100);
      const earlier = { samples: 10_000, failures: 0 };
      const undecided = await watch({
        ...{ versionHeader, stopAtFailuresOf },
        stopWhenSure: { ...stopWhenSure, earlier },
      });
      expect(samplesOf(undecided)).toBe(40);
      expect(undecided).not.toHaveProperty('counts.endedEarly');
    });

    test.each([
      ['longer than half an hour', { windowMs: 1_800_001 }, 'windowMs'],
      [
        'with a limit on a version that is not told',
        { stopAtFailuresOf: { version: '2', failures: 1 } },
        'stopAtFailuresOf',
      ],
      [
        'with a limit on a version that is longer than what is read',
        { versionHeader, stopAtFailuresOf: { version: '2'.repeat(101), failures: 1 } },
        'stopAtFailuresOf',
      ],
    ])('refuse a window %s', async (_case, settings, subject) => {
      await expect(watch(settings)).rejects.toMatchObject({
        type: 'INVALID_INPUT',
        details: [expect.objectContaining({ subject })],
      });
    });
  });
};

const samplesOf = (outcome: WatchOutcome): number =>
  outcome.measured ? outcome.counts.samples : Number.NaN;
