import { describe, expect, test } from '@jest/globals';
import {
  createProbeCounter,
  readProgress,
  type CountedAnswer,
  type CounterSettings,
} from '../../../activities/traffic/probe-counter.ts';

const beginning = { elapsedMs: 0, samples: 0, failures: 0, lastFailure: null };
const byVersion: CounterSettings = { stopAtFailures: 100, versionHeader: 'X-Version' };

const answer = (version: string, status: number | null = 200, latencyMs = 1): CountedAnswer => ({
  version,
  status,
  latencyMs,
  text: `HTTP ${String(status)}`,
});

const failuresUntilEnough = (settings: CounterSettings, answers: CountedAnswer[]): number => {
  const counter = createProbeCounter(settings, beginning);
  return answers.findIndex((one) => {
    counter.add(one);
    return counter.isEnough();
  });
};

describe('a counter', () => {
  test('says nothing of versions where none are told apart', () => {
    const counter = createProbeCounter({ stopAtFailures: 1 }, beginning);
    counter.add(answer('', 200, 3.14));
    expect(counter.progress(5)).toEqual({ ...beginning, elapsedMs: 5, samples: 1 });
    expect(counter.counts()).toEqual({
      samples: 1,
      failures: 0,
      latencyP50Ms: 3.1,
      latencyP99Ms: 3.1,
      lastFailure: null,
    });
  });

  test('keeps what a heartbeat carries small, whatever the headers say', () => {
    const counter = createProbeCounter(byVersion, beginning);
    for (let number = 0; number < 5_000; number += 1) {
      counter.add(answer(String(number).padStart(100, 'v'), 500));
    }
    counter.add(answer('', null));
    const { versions = [] } = counter.progress(1_000);
    expect(versions).toHaveLength(12);
    expect(versions.reduce((sum, { samples }) => sum + samples, 0)).toBe(5_001);
    expect(JSON.stringify(counter.progress(1_000)).length).toBeLessThan(4_000);
  });

  test('has had enough at the limit of all, or at that of one version', () => {
    const answers = [answer('1', 500), answer('2', 500), answer('1', 500), answer('2', null)];
    const stopAtFailuresOf = { version: '2', failures: 2 };
    expect(failuresUntilEnough({ ...byVersion, stopAtFailures: 3 }, answers)).toBe(2);
    expect(failuresUntilEnough({ ...byVersion, stopAtFailuresOf }, answers)).toBe(3);
    // A proxy that cannot reach the version answers in its place, and names none.
    const inItsPlace = [answer('1'), answer('', 503), answer('2', 500), answer('', null)];
    expect(failuresUntilEnough({ ...byVersion, stopAtFailuresOf }, inItsPlace)).toBe(2);
    const unseen = { version: '3', failures: 1 };
    expect(failuresUntilEnough({ ...byVersion, stopAtFailuresOf: unseen }, answers)).toBe(-1);
  });

  test('has had enough when the failures are surely too many, of the version that is watched', () => {
    const stopAtFailuresOf = { version: '2', failures: 50 };
    const earlier = { samples: 0, failures: 0 };
    const stopWhenSure = { maxFailureRatio: 0.01, minSamples: 5, earlier };
    const settings = { ...byVersion, stopWhenSure };
    const answers = Array.from({ length: 40 }, (_, at) => answer(at % 2 === 0 ? '1' : '2', 500));
    expect(failuresUntilEnough(settings, answers)).toBe(4);
    expect(failuresUntilEnough({ ...settings, stopAtFailuresOf }, answers)).toBe(9);
    const before = { ...stopWhenSure, earlier: { samples: 3, failures: 3 } };
    expect(failuresUntilEnough({ ...settings, stopWhenSure: before }, answers)).toBe(1);
    const healthy = answers.map((_, at) => answer('2', at === 20 ? 500 : 200));
    expect(failuresUntilEnough(settings, healthy)).toBe(-1);
  });

  test('goes on from what a heartbeat said, after JSON and back', () => {
    const first = createProbeCounter(byVersion, beginning);
    first.add(answer('1'));
    first.add(answer('2', 503));
    const said: unknown = JSON.parse(JSON.stringify(first.progress(700)));
    const second = createProbeCounter(byVersion, readProgress(said));
    second.add(answer('2', 200, 8));
    expect(second.progress(900)).toEqual({
      elapsedMs: 900,
      samples: 3,
      failures: 1,
      lastFailure: 'HTTP 503',
      versions: [
        { version: '1', samples: 1, failures: 0 },
        { version: '2', samples: 2, failures: 1 },
      ],
    });
    expect(second.counts().versions).toEqual([
      { version: '1', samples: 1, failures: 0, latencyP50Ms: null, latencyP99Ms: null },
      { version: '2', samples: 2, failures: 1, latencyP50Ms: 8, latencyP99Ms: 8 },
    ]);
  });
});

describe('details of a heartbeat', () => {
  test('of a worker that did not tell versions apart are gone on from', () => {
    const said = { elapsedMs: 10, samples: 4, failures: 1, lastFailure: 'HTTP 500' };
    expect(readProgress(said)).toEqual(said);
    expect(createProbeCounter(byVersion, said).progress(10)).toEqual({ ...said, versions: [] });
  });

  test.each([
    ['nothing', undefined],
    ['another shape', { passed: 3 }],
    ['versions that are none', { ...beginning, versions: [{ version: 1 }] }],
    ['versions without counts', { ...beginning, versions: [{ version: '1', samples: '3' }] }],
  ])('that are %s mean a new beginning', (_case, details) => {
    expect(readProgress(details)).toEqual(beginning);
  });
});
