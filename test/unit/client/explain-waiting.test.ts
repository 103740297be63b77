import { describe, expect, test } from '@jest/globals';
import { explainRelease } from '../../../client/cli/explain/explain-release.ts';
import type { Explanation } from '../../../client/cli/explain/explanation.ts';
import type { ReleaseFacts } from '../../../client/cli/explain/release-facts.ts';
import type { DeployServiceProgress } from '../../../contracts/delivery/deploy-service.ts';
import {
  asked,
  canaryStages,
  facts,
  heldStages,
  lock,
  nowMs,
  plan,
  progress,
} from './known-releases.ts';

const explain = (changes: Partial<ReleaseFacts> = {}): Explanation =>
  explainRelease(facts(changes));

/** Everything that an explanation says, as one text. */
const textOf = ({ headline, now, why, waitsFor, next, done }: Explanation): string =>
  [headline, ...now, ...why, ...waitsFor, ...next, ...done].join('\n');

const commandsOf = ({ commands }: Explanation): string[] =>
  commands.map(({ command }) => command.replace('holdfast ', '').split(' ')[0] ?? '');

const by = (action: string, actor = 'ben@example.com', reason = 'latency looks odd') => ({
  ...asked,
  action,
  actor,
  reason,
});

const waiting = (
  waitingFor: NonNullable<DeployServiceProgress['waitingFor']>,
  running: string,
): Pick<DeployServiceProgress, 'status' | 'waitingFor' | 'stages'> => ({
  status: 'waiting',
  waitingFor,
  stages: canaryStages(running),
});

describe('why a release waits', () => {
  const queued = progress(waiting({ what: 'the lock', verbs: ['abort'] }, 'lock'));

  test('in the queue: who has the lock and what they do, who comes before, and nothing is touched', () => {
    const told = explain({ progress: queued, lock: lock(), holderStage: 'watch at 50 %' });
    expect(told).toMatchObject({
      situation: 'queued',
      headline: 'waits for the lock of shop, place 2 of 2',
      why: [
        'Release 2.4.0 has the lock; it is at `watch at 50 %`.',
        'Before this release comes 2.4.0-fix (a hotfix).',
      ],
    });
    expect(told.done).toContain('Nothing is written to the cluster yet.');
    expect(told.commands.map(({ command }) => command)).toEqual([
      'holdfast deploy explain shop -e production --release 2.4.0',
      'holdfast abort shop -e production --release 2.4.0 --reason "…"',
      'holdfast abort shop -e production --release 2.4.1 --reason "…"',
    ]);
  });

  test('in the queue behind a lock whose holder died: the operator and the three decisions', () => {
    const dead = lock({
      status: 'needs-operator',
      needsOperator: {
        why: 'release 2.4.0 was terminated',
        verbs: ['restore', 'adopt', 'release'],
      },
    });
    const told = explain({ progress: queued, lock: dead });
    expect(told.why[0]).toContain('release 2.4.0 was terminated');
    expect(told.commands[0]).toEqual({
      command: 'holdfast lock shop -e production --restore --reason "…"',
      effect: 'puts back what the dead release had changed',
    });
  });

  test('in the queue while nobody tells who has the lock: that is said, not guessed', () => {
    const told = explain({ progress: queued, lock: null });
    expect(told.headline).toBe('waits for the lock of shop');
    expect(told.why).toEqual(['Who has the lock is not known: no worker answers for the service.']);
  });

  const planDigest = plan.planDigest;
  const wanted = progress(
    waiting(
      {
        what: 'approval',
        verbs: ['approve', 'reject', 'abort'],
        deadlineAtMs: nowMs + 65 * 60_000,
        planDigest,
      },
      'approval',
    ),
  );

  test('for an approval: what the plan does, until when, and commands bound to this plan', () => {
    const told = explain({ progress: wanted });
    expect(told.situation).toBe('waiting-for-approval');
    expect(told.why.join(' ')).toContain(
      'The plan: create Deployment/shop-2 and patch Deployment/shop.',
    );
    expect(told.why).toContain('The HPA counts pods of both versions.');
    expect(told.waitsFor).toEqual([
      'The decision of release-manager, until 04:15:00 UTC (in 1h 5m).',
    ]);
    expect(textOf(told)).toContain('APPROVAL_EXPIRED; nothing was changed');
    expect(told.commands[0]?.command).toBe(
      `holdfast approve shop -e production --release 2.4.1 --plan ${planDigest} --reason "…"`,
    );
  });

  test('for an approval while paused: the approval alone does not let it go on', () => {
    const told = explain({ progress: wanted, identities: [asked, by('pause')] });
    expect(told.situation).toBe('waiting-for-approval');
    expect(textOf(told)).toContain('It is paused too (ben@example.com: “latency looks odd”)');
  });

  test('paused: by whom and why, what goes on all the same, and what comes after', () => {
    const paused = progress({
      status: 'paused',
      stages: canaryStages('watch at 10 %', { note: '1 of 400 failed in 20 s' }),
      rollout: { strategy: 'canary', weightPercent: 10, measuredPercent: 9.8 },
    });
    const told = explain({
      progress: paused,
      identities: [by('pause'), by('resume'), by('pause')],
    });
    expect(told.headline).toBe('is paused by ben@example.com');
    expect(told.why).toEqual(['ben@example.com paused it: “latency looks odd”.']);
    expect(told.now).toEqual([
      'The new version has 10 % of the traffic (9.8 % measured).',
      '`watch at 10 %` had begun and goes on (1 of 400 failed in 20 s).',
    ]);
    expect(textOf(told)).toContain('Resumed, it goes on with shift to 50 %, watch at 50 % (10m)');
    expect(commandsOf(told)).toEqual(['resume', 'abort']);
  });

  test('held at a weight: by whom, that nothing judges it, and only what is still to come', () => {
    const held = progress({
      ...waiting(
        { what: '`promote`', verbs: ['promote', 'promoteFull', 'setWeight', 'abort'] },
        'shift to 10 %',
      ),
      stages: heldStages(),
      rollout: { strategy: 'canary', weightPercent: 50, measuredPercent: 50.2, heldAtPercent: 50 },
    });
    const told = explain({ progress: held, identities: [asked, by('setWeight')] });
    expect(told).toMatchObject({
      situation: 'held',
      headline: 'is held at 50 % by ben@example.com',
      why: ['ben@example.com set 50 %: “latency looks odd”.'],
    });
    expect(told.now).toContain(
      'It is judged while it is held; a gate that fails puts everything back.',
    );
    // The stops up to the weight that it has are behind it.
    expect(told.next[0]).toContain('goes on with watch at 50 % (10m), shift to 100 %');
    expect(commandsOf(told)).toEqual(['promote', 'promote-full', 'set-weight', 'abort']);
  });

  test('keeping the old version: until when, who ends it early, what happens then', () => {
    const retaining = progress({
      ...waiting(
        { what: 'the time', verbs: ['promote', 'abort'], deadlineAtMs: nowMs + 60_000 },
        'bake',
      ),
      status: 'running',
      rollout: { strategy: 'blue-green', weightPercent: 100, measuredPercent: 100 },
    });
    const told = explain({ progress: retaining, lock: lock({ queue: [] }) });
    expect(told.situation).toBe('retaining');
    expect(told.waitsFor).toEqual(['The end of the time for that, 03:11:00 UTC (in 1m).']);
    expect(told.next[0]).toContain('Deployment/shop gets the new version');
    expect(told.commands.at(-1)?.effect).toBe('gives Deployment/shop everything back');
    const wantedByOther = explain({ progress: retaining, lock: lock() });
    expect(wantedByOther.waitsFor).toContain(
      'Release 2.4.0-fix waits for the lock, which ends it early.',
    );
  });

  test('an inconclusive gate: which metric, until when someone may decide, and what silence means', () => {
    const undecided = progress({
      ...waiting(
        {
          what: 'a decision',
          verbs: ['retryStep', 'skip', 'abort'],
          deadlineAtMs: nowMs + 3_600_000,
        },
        'watch at 10 %',
      ),
      gates: [
        {
          name: 'watch at 10 %',
          verdict: 'inconclusive',
          note: 'latency: 3 samples are too few',
          samples: 3,
          failures: 0,
          decidedBy: ['latency'],
        },
      ],
    });
    const told = explain({ progress: undecided });
    expect(told.headline).toBe('waits for a decision: `watch at 10 %` is inconclusive');
    expect(told.why).toContain('Latency: 3 samples are too few.');
    expect(told.waitsFor).toEqual(['A decision, until 04:10:00 UTC (in 1h).']);
    expect(told.next[0]).toContain('counts as failed and everything is put back');
    expect(commandsOf(told)).toEqual(['retry-step', 'skip', 'abort']);
  });
});
