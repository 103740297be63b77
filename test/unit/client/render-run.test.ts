import { describe, expect, test } from '@jest/globals';
import { renderRun, type RunScreen } from '../../../client/cli/render-run.ts';
import type { DeployServiceProgress } from '../../../contracts/delivery/deploy-service.ts';

const startedAtMs = 1_000_000;

const progress = (changes: Partial<DeployServiceProgress> = {}): DeployServiceProgress => ({
  schemaVersion: 1,
  service: 'shop',
  environment: 'staging',
  release: '2.4.1',
  status: 'running',
  stages: [
    { name: 'validate', status: 'done', note: '', startedAtMs, endedAtMs: startedAtMs + 120 },
    {
      name: 'lock',
      status: 'done',
      note: 'epoch 3',
      startedAtMs: startedAtMs + 120,
      endedAtMs: startedAtMs + 300,
    },
    { name: 'roll out', status: 'running', note: '1 of 3 ready', startedAtMs: startedAtMs + 300 },
    { name: 'bake', status: 'pending', note: '' },
  ],
  compensations: [],
  gates: [],
  ...changes,
});

const screen = (changes: Partial<RunScreen> = {}): RunScreen => ({
  title: 'deploy:staging:shop:2.4.1',
  progress: progress(),
  silence: null,
  pods: null,
  counts: null,
  retrying: [],
  url: 'http://127.0.0.1:8233/run',
  executionStatus: 'RUNNING',
  ...changes,
});

const plain = { widthChars: 80, colour: false, nowMs: startedAtMs + 4_500 };

describe('the tree of a run', () => {
  test('shows stages with elapsed time, the pods of the running stage, and the link', () => {
    const pods = {
      replicaSet: { name: 'shop-7d9f' },
      wantedReplicas: 3,
      readyReplicas: 1,
      pods: [
        { name: 'shop-7d9f-aaaaa', ready: true, reason: '' },
        { name: 'shop-7d9f-bbbbb', ready: false, reason: 'ContainerCreating' },
      ],
    };
    expect(renderRun(screen({ pods }), plain)).toBe(
      [
        'shop 2.4.1 → staging   running   4.5s',
        '├─ ✔ validate  0.1s',
        '├─ ✔ lock      0.2s    epoch 3',
        '├─ ● roll out  4.2s    1 of 3 ready',
        '│  ├─ ✔ shop-7d9f-aaaaa  ready',
        '│  └─ ○ shop-7d9f-bbbbb  ContainerCreating',
        '└─ ○ bake',
        'http://127.0.0.1:8233/run',
      ].join('\n'),
    );
  });

  test('shows in one line how far a rollout is, and what was measured of it', () => {
    const lineOf = (rollout: NonNullable<DeployServiceProgress['rollout']>) =>
      renderRun(screen({ progress: progress({ rollout }) }), plain).split('\n')[1];
    const canary = { strategy: 'canary', weightPercent: 30 } as const;
    expect(lineOf(canary)).toBe('canary  ██████░░░░░░░░░░░░░░ 30 %');
    expect(lineOf({ ...canary, measuredPercent: 29.6 })).toContain('30 %, 29.6 % measured');
    expect(lineOf({ ...canary, heldAtPercent: 30 })).toContain('held by an operator');
    expect(lineOf({ ...canary, heldAtPercent: 50 })).toContain('on the way to 50 %');
  });

  test('shows what the open window of a gate has counted, by version where it can', () => {
    const counts = { elapsedMs: 12_000, samples: 240, failures: 3, lastFailure: '500' };
    expect(renderRun(screen({ counts }), plain)).toContain('└─ now  3 of 240 failed  in 12.0s');
    const versions = [
      { version: '1', samples: 216, failures: 0 },
      { version: '2', samples: 24, failures: 3 },
    ];
    expect(renderRun(screen({ counts: { ...counts, versions } }), plain)).toContain(
      'now  1: 0 of 216 failed, 2: 3 of 24 failed  in 12.0s',
    );
  });

  test('what an operator did in between is shown where it happened, not behind the end', () => {
    const [validate, lock, running, bake] = progress().stages;
    const held = { name: 'held by an operator', status: 'done' as const, note: 'at 30 %' };
    const stages = [validate, lock, running, bake, { ...held, startedAtMs: startedAtMs + 200 }];
    const known = stages.filter((stage) => stage !== undefined);
    const drawn = renderRun(screen({ progress: progress({ stages: known }) }), plain).split('\n');
    expect(drawn.findIndex((line) => line.includes('held'))).toBe(3);
    expect(drawn.at(-2)).toContain('bake');
  });

  test('a pass that its stage tells already is not repeated; a metric is named', () => {
    const note = '0 of 400 requests failed';
    const stages = [{ name: 'bake', status: 'done' as const, note, startedAtMs }];
    const gate = { name: 'bake', verdict: 'pass' as const, note, samples: 400, failures: 0 };
    const passed = renderRun(screen({ progress: progress({ stages, gates: [gate] }) }), plain);
    expect(passed.split('\n').filter((line) => line.includes('requests failed'))).toHaveLength(1);
    const metric = { ...gate, name: 'bake: latency', note: 'no worse' };
    const measured = renderRun(screen({ progress: progress({ stages, gates: [metric] }) }), plain);
    expect(measured).toContain('└─ pass  latency  0 of 400 failed  no worse');
  });

  test('names what a run waits for, how long still, and the command that answers', () => {
    const waiting = progress({
      status: 'waiting',
      waitingFor: {
        what: 'approval release-manager',
        verbs: ['approve', 'retryCompensation'],
        deadlineAtMs: plain.nowMs + 65_000,
        planDigest: 'sha256:aa',
      },
    });
    const drawn = renderRun(screen({ progress: waiting }), plain);
    expect(drawn).toContain('waits for approval release-manager, 1m 05s left');
    // A verb without the release would go to whoever has the lock.
    const named = 'shop -e staging --release 2.4.1 --reason "…"';
    expect(drawn).toContain(`  holdfast approve ${named}`);
    expect(drawn).toContain(`  holdfast retry-compensation ${named}`);
  });

  test('shows the way back, the failure and the gate that found it', () => {
    const unwinding = progress({
      status: 'unwinding',
      failedStep: 'bake',
      failure: { code: 'BAKE_FAILED', message: '31 of 40 requests failed' },
      gates: [{ name: 'bake', verdict: 'fail', note: '', samples: 40, failures: 31 }],
      compensations: [
        { step: 'patch Deployment/shop', outcome: 'undone', note: '' },
        { step: 'patch Service/shop', outcome: 'foreign-change-preserved', note: 'spec.ports' },
      ],
    });
    const drawn = renderRun(screen({ progress: unwinding }), plain);
    expect(drawn).toContain('└─ fail  31 of 40 failed');
    expect(drawn).toContain('├─ undone  patch Deployment/shop');
    expect(drawn).toContain('└─ foreign change preserved  patch Service/shop  spec.ports');
    expect(drawn).toContain('✖ BAKE_FAILED in bake  31 of 40 requests failed');
  });

  test('says that no worker answers instead of showing an old state as the current one', () => {
    const drawn = renderRun(screen({ progress: null, silence: 'no poller' }), plain);
    expect(drawn).toBe(
      [
        'deploy:staging:shop:2.4.1',
        'no answer from a worker: no poller',
        'http://127.0.0.1:8233/run',
      ].join('\n'),
    );
  });

  test('shows what fails behind the scenes and is tried again', () => {
    const retrying = [
      { activity: 'releases.write', attempt: 3, lastFailure: 'HTTP 503', nextAttemptAtMs: null },
    ];
    expect(renderRun(screen({ retrying }), plain)).toContain(
      '│  └─ ↻ releases.write, attempt 3: HTTP 503',
    );
  });

  test('no line is wider than the terminal, with and without colour', () => {
    const narrow = { ...plain, widthChars: 20 };
    const escape = String.fromCharCode(27);
    const visible = (text: string) => text.replaceAll(new RegExp(`${escape}\\[\\d+m`, 'g'), '');
    for (const colour of [false, true]) {
      const drawn = visible(renderRun(screen({ url: null }), { ...narrow, colour }));
      for (const line of drawn.split('\n')) expect(line.length).toBeLessThanOrEqual(20);
      expect(drawn).toContain('…');
    }
  });

  test('a link is never cut off, because half a link leads nowhere', () => {
    const url = `http://127.0.0.1:8233/${'long/'.repeat(40)}`;
    expect(renderRun(screen({ url }), plain)).toContain(url);
  });

  test('a run that was terminated is not shown as one that runs', () => {
    const drawn = renderRun(screen({ executionStatus: 'TERMINATED' }), plain);
    expect(drawn).toContain('the run was ended from outside: terminated');
  });

  test('without colour there is no escape sequence, with it there is', () => {
    expect(renderRun(screen(), plain)).not.toContain('\u001b');
    expect(renderRun(screen(), { ...plain, colour: true })).toContain('\u001b[32m✔\u001b[0m');
  });

  test('the elapsed time of a finished run stands still', () => {
    const finished = progress({
      status: 'finished',
      outcome: 'deployed',
      stages: progress().stages.slice(0, 2),
    });
    const first = renderRun(screen({ progress: finished }), plain);
    const later = renderRun(screen({ progress: finished }), { ...plain, nowMs: plain.nowMs + 9e6 });
    expect(first).toBe(later);
    expect(first).toContain('deployed   0.3s');
  });
});
