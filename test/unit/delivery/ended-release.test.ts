import { describe, expect, test } from '@jest/globals';
import { deliveryMetricsText } from '../../../domain/delivery/delivery-metrics.ts';
import { firstBadAtMs, servedEveryoneAtMs } from '../../../domain/delivery/ended-release.ts';
import type { Stage } from '../../../domain/delivery/release-stage.ts';

const stage = (name: string, startedAtMs?: number): Stage => ({
  name,
  status: 'done',
  note: '',
  startedAtMs,
});

describe('the time at which everyone was served', () => {
  test('is when the version before was only kept, or the proof began', () => {
    expect(servedEveryoneAtMs([stage('retain', 5), stage('prove', 9)])).toBe(5);
    expect(servedEveryoneAtMs([stage('bake', 5), stage('prove', 9)])).toBe(9);
    expect(servedEveryoneAtMs([stage('prove')])).toBeUndefined();
  });
});

describe('the first bad sample', () => {
  const sample = (atMs: number, gate: string, failures: number) => ({
    atMs,
    gate,
    versions: [{ failures: 0 }, { failures }],
  });
  const samples = [sample(1, 'preview', 3), sample(4, 'bake', 0), sample(6, 'bake', 2)];

  test('is the first with failures of the gate that failed', () => {
    const seen = [...samples, sample(8, 'bake', 9)];
    expect(firstBadAtMs({ samples: seen, failedStep: 'bake', failedAtMs: 20 })).toBe(6);
  });

  test('is the failure itself where no gate measured it', () => {
    expect(firstBadAtMs({ samples, failedStep: 'prove', failedAtMs: 20 })).toBe(20);
    expect(firstBadAtMs({ samples: [], failedStep: undefined, failedAtMs: 20 })).toBe(20);
  });
});

test('figures of no release are no series, and still a text that can be read', () => {
  const lines = deliveryMetricsText({}).split('\n');
  expect(lines.filter((line) => line.startsWith('# TYPE'))).toHaveLength(3);
  expect(lines.every((line) => line === '' || line.startsWith('#'))).toBe(true);
});
