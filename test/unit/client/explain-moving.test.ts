import { describe, expect, test } from '@jest/globals';
import { explainRelease } from '../../../client/cli/explain/explain-release.ts';
import type { Explanation } from '../../../client/cli/explain/explanation.ts';
import type { ReleaseFacts } from '../../../client/cli/explain/release-facts.ts';
import { ago, asked, canaryStages, facts, nowMs, progress, stage } from './known-releases.ts';

const explain = (changes: Partial<ReleaseFacts> = {}): Explanation =>
  explainRelease(facts(changes));

const commandsOf = ({ commands }: Explanation): string[] =>
  commands.map(({ command }) => command.replace('holdfast ', '').split(' ')[0] ?? '');

const by = (action: string, actor = 'ben@example.com', reason = 'latency looks odd') => ({
  ...asked,
  action,
  actor,
  reason,
});

describe('what a moving release does', () => {
  test('watching: the numbers against the limit, when it ends, and both ways it can go', () => {
    const counts = {
      elapsedMs: 12_000,
      samples: 240,
      failures: 3,
      lastFailure: '500 Internal Server Error',
      versions: [
        { version: '2.4.0', samples: 216, failures: 0 },
        { version: '2.4.1', samples: 24, failures: 3 },
      ],
    };
    const watching = progress({
      stages: canaryStages('watch at 10 %', { note: '2 of 400 failed in 20 s' }),
      rollout: { strategy: 'canary', weightPercent: 10, measuredPercent: 9.8 },
    });
    const told = explain({ progress: watching, counts });
    expect(told.headline).toBe('watches the new version at 10 %');
    expect(told.why).toEqual([
      'Gate `watch at 10 %` has to pass before it may go on.',
      'The limit: at most 1.00 % of its requests may fail, and fewer than 50 samples are no data, which is not a pass.',
      'So far 2 of 400 failed in 20 s (0.50 %).',
      'In the window of now: version 2.4.0 0 of 216 failed, version 2.4.1 3 of 24 failed; last failed answer: 500 Internal Server Error.',
    ]);
    expect(told.waitsFor).toEqual(['The end of the watch, 03:16:00 UTC (in 6m).']);
    expect(told.next[0]).toBe(
      'If the gate passes: shift to 50 %, watch at 50 % (10m), shift to 100 %, smoke, bake (30s) and 4 more.',
    );
    expect(told.next[1]).toContain('everything is put back, the traffic first');
    expect(commandsOf(told)).toEqual(['promote', 'promote-full', 'set-weight', 'pause', 'abort']);
  });

  test('watching without a limit of its own says that it is the default', () => {
    const { bake, ...own } = facts().input ?? {};
    expect(bake).toBeDefined();
    const told = explain({ input: own as ReleaseFacts['input'] });
    expect(told.why.join(' ')).toContain('the release names no limit; this is the default');
  });

  test('a bake of a rolling release offers no verbs that only shared traffic has', () => {
    const told = explain({ progress: progress({ stages: canaryStages('bake') }) });
    expect(told.situation).toBe('watching');
    expect(commandsOf(told)).toEqual(['skip', 'pause', 'abort']);
  });

  test('draining: the pods that are still there, and what they wait for', () => {
    const draining = progress({
      stages: [
        stage('drain Deployment/shop', 'running', { startedAtMs: ago(1) }),
        stage('patch Deployment/shop', 'pending'),
        stage('roll out Deployment/shop', 'pending'),
        stage('prove', 'pending'),
      ],
    });
    const leaving = { name: 'shop-1-x', ready: false, reason: 'Terminating' };
    const replicaSet = { name: 'shop-1' };
    const pods = { replicaSet, wantedReplicas: 0, readyReplicas: 0, pods: [leaving] };
    const told = explain({ progress: draining, pods });
    expect(told.now).toContain('Pods that are still there: 1.');
    expect(told.waitsFor).toEqual(['The last pod of the old version to be gone.']);
    expect(told.next[0]).toBe('Then: write one object and prove.');
  });

  test('rolling out: pods with their reasons, and what fails behind the scenes', () => {
    const name = 'roll out Deployment/shop-2';
    const moving = progress({
      stages: [stage(name, 'running', { startedAtMs: ago(1) }), stage('prove', 'pending')],
    });
    const pods = {
      replicaSet: { name: 'shop-2-7d' },
      wantedReplicas: 3,
      readyReplicas: 1,
      pods: [
        { name: 'shop-2-a', ready: true, reason: '' },
        { name: 'shop-2-b', ready: false, reason: 'ImagePullBackOff' },
      ],
    };
    const retrying = [
      {
        activity: 'workloads.awaitRollout',
        attempt: 3,
        lastFailure: 'HTTP 503',
        nextAttemptAtMs: nowMs + 4_000,
      },
    ];
    const told = explain({ progress: moving, pods, retrying });
    expect(told.now).toEqual([
      '`roll out Deployment/shop-2` began at 03:09:00 UTC, 1m ago.',
      '1 of 3 pods are ready.',
      'Not ready: shop-2-b: ImagePullBackOff.',
      '`workloads.awaitRollout` failed 2 times and is tried again at 03:10:04 UTC (in 4s): HTTP 503.',
    ]);
    expect(told.waitsFor).toEqual(['The pods of the new version to be ready and stay ready.']);
    expect(told.next).toContain(
      'The release may move for 10m, planned stops and waiting not counted; then it is stopped and everything is put back.',
    );
  });

  test('checking: which answers it asks for', () => {
    const told = explain({ progress: progress({ stages: canaryStages('preview') }) });
    expect(told.headline).toBe('checks the new version before it has any traffic');
    expect(told.why[0]).toContain('/healthz → 200');
  });

  test('putting back: why, what is undone, and that nothing has to be done', () => {
    const unwinding = progress({
      status: 'unwinding',
      failedStep: 'watch at 10 %',
      failure: { code: 'BAKE_FAILED', message: '12 of 300 requests failed, more than 1.00 %' },
      compensations: [{ step: 'shift shop', outcome: 'undone', note: '' }],
    });
    const told = explain({ progress: unwinding });
    expect(told.why).toEqual([
      'BAKE_FAILED in `watch at 10 %`: 12 of 300 requests failed, more than 1.00 %',
    ]);
    expect(told.now).toEqual(['Undone so far: shift shop (undone).']);
    expect(told.next[0]).toContain('Nothing has to be done now');
  });

  test('what was done: who asked and approved, what was written, and how the gates ended', () => {
    const done = progress({
      gates: [
        { name: 'preview', verdict: 'pass', note: '1 of 1 passed', samples: 1, failures: 0 },
        { name: 'smoke', verdict: 'skipped', note: 'ben skipped it', samples: 0, failures: 0 },
      ],
    });
    expect(explain({ progress: done, identities: [asked, by('approve')] }).done).toEqual([
      'ana@example.com asked for it: “summer catalogue”.',
      'It got the lock (epoch 3).',
      'By its plan 3 of 4 objects change.',
      'ben@example.com approved the plan: “latency looks odd”.',
      'Written: create Deployment/shop-2.',
      'Gate `preview` passed: 1 of 1 passed.',
      'Gate `smoke` was skipped: ben skipped it.',
    ]);
  });
});
