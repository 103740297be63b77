import { describe, expect, test } from '@jest/globals';
import { narrateChanges } from '../../../client/cli/narrate-run.ts';
import type { DeployServiceProgress } from '../../../contracts/delivery/deploy-service.ts';

const at = (changes: Partial<DeployServiceProgress>): DeployServiceProgress => ({
  schemaVersion: 1,
  service: 'shop',
  environment: 'staging',
  release: '1',
  status: 'running',
  stages: [],
  compensations: [],
  gates: [],
  ...changes,
});

describe('a run told line by line', () => {
  test('each event is told once', () => {
    const first = at({ stages: [{ name: 'lock', status: 'running', note: '', startedAtMs: 0 }] });
    const second = at({
      stages: [{ name: 'lock', status: 'done', note: 'epoch 1', startedAtMs: 0, endedAtMs: 400 }],
      gates: [{ name: 'smoke', verdict: 'pass', note: '', samples: 2, failures: 0 }],
    });
    expect(narrateChanges(null, first)).toEqual(['lock: running']);
    expect(narrateChanges(first, second)).toEqual([
      'lock: done after 0.4s, epoch 1',
      'gate smoke: pass, 0 of 2 failed',
    ]);
    expect(narrateChanges(second, second)).toEqual([]);
  });

  test('a step whose undoing failed and then succeeded is told twice', () => {
    const failed = at({
      compensations: [{ step: 'patch Service/shop', outcome: 'failed', note: 'HTTP 503' }],
      status: 'needs-operator',
      waitingFor: { what: 'an operator', verbs: ['retryCompensation', 'skip'] },
    });
    const undone = at({
      compensations: [{ step: 'patch Service/shop', outcome: 'undone', note: '' }],
    });
    expect(narrateChanges(null, failed)).toEqual([
      'way back: patch Service/shop: failed, HTTP 503',
      'waits for an operator (retryCompensation, skip)',
      'status: needs-operator',
    ]);
    expect(narrateChanges(failed, undone)).toEqual(['way back: patch Service/shop: undone']);
  });

  test('a weight is told when it moves, and when an operator holds it', () => {
    const ten = at({ rollout: { strategy: 'canary', weightPercent: 10 } });
    const thirty = at({
      rollout: { strategy: 'canary', weightPercent: 30, measuredPercent: 29.8, heldAtPercent: 30 },
    });
    expect(narrateChanges(null, ten)).toEqual(['weight: 10 %']);
    expect(narrateChanges(ten, thirty)).toEqual([
      'weight: 30 %, 29.8 % measured',
      'weight: held at 30 % by an operator',
    ]);
    expect(narrateChanges(thirty, thirty)).toEqual([]);
  });

  test('a failure is told with its code', () => {
    const failed = at({ failure: { code: 'BAKE_FAILED', message: 'too many failures' } });
    expect(narrateChanges(at({}), failed)).toEqual(['failed: BAKE_FAILED: too many failures']);
  });
});
