import { describe, expect, test } from '@jest/globals';
import { accessExitCode, narrateAccess } from '../../../client/cli/follow-access.ts';
import { renderAccess, type AccessScreen } from '../../../client/cli/render-access.ts';
import type { ManageAccessProgress } from '../../../contracts/security/manage-access.ts';

const startedAtMs = 1_000_000;
const ana = 'ana@example.com';

const progress = (changes: Partial<ManageAccessProgress> = {}): ManageAccessProgress => ({
  schemaVersion: 1,
  change: 'ops-4711',
  status: 'waiting',
  stages: [
    { name: 'validate', status: 'done', note: '', startedAtMs, endedAtMs: startedAtMs + 100 },
    { name: 'approval', status: 'running', note: '1 of 2', startedAtMs: startedAtMs + 100 },
    { name: 'give', status: 'pending', note: '' },
  ],
  waitingFor: {
    what: 'approval of 2 people of security',
    verbs: ['approve', 'reject'],
    deadlineAtMs: startedAtMs + 3_604_500,
    planDigest: `sha256:${'0'.repeat(64)}`,
  },
  before: [{ person: ana, roles: ['releaser in prod', 'viewer in prod'] }],
  after: [{ person: ana, roles: ['operator in prod', 'viewer in prod'] }],
  targets: [
    { target: 'prod-cluster', state: 'taken', note: '' },
    { target: 'orders-db', state: 'failed', note: 'login is missing' },
  ],
  ...changes,
});

const screen = (changes: Partial<AccessScreen> = {}): AccessScreen => ({
  change: 'ops-4711',
  progress: progress(),
  silence: null,
  retrying: [],
  url: null,
  executionStatus: 'RUNNING',
  ...changes,
});

const plain = { widthChars: 100, colour: false, nowMs: startedAtMs + 4_500 };

describe('what is shown of a change of access', () => {
  test('stages, who gets and loses what, targets, and what to type next', () => {
    expect(renderAccess(screen(), plain)).toBe(
      [
        'ops-4711   waiting   4.5s',
        '├─ ✔ validate  0.1s',
        '├─ ● approval  4.4s    1 of 2',
        '└─ ○ give',
        'roles',
        `  ${ana}`,
        '  − releaser in prod',
        '  + operator in prod',
        '    viewer in prod',
        'targets',
        '  ✔ prod-cluster  taken',
        '  ✖ orders-db  failed  login is missing',
        'waits for approval of 2 people of security, 1h 00m left',
        '  holdfast access approve ops-4711 --reason "…"',
        '  holdfast access reject ops-4711 --reason "…"',
      ].join('\n'),
    );
  });

  test('a run of a schedule is named by its id, not by the change of its input', () => {
    const change = 'certify-2026-12-01T08:00:00Z';
    const text = renderAccess(screen({ change, progress: progress({ change: 'certify' }) }), plain);
    expect(text).toContain(`holdfast access approve ${change} --reason`);
  });

  test('someone who loses every role has none afterwards', () => {
    const before = [{ person: ana, roles: [] }];
    const text = renderAccess(screen({ progress: progress({ before, after: before }) }), plain);
    expect(text).toContain(`  ${ana}\n    no roles`);
  });

  test('nothing is asked for once the run was ended from outside', () => {
    const text = renderAccess(screen({ executionStatus: 'TERMINATED' }), plain);
    expect(text).toContain('the run was ended from outside: terminated');
    expect(text).not.toContain('waits for');
  });

  test('while no worker answers, the name and the reason', () => {
    const text = renderAccess(screen({ progress: null, silence: 'nobody polls' }), plain);
    expect(text).toBe('ops-4711\nno answer from a worker: nobody polls');
  });
});

describe('where nothing can be repainted', () => {
  test('each stage, target and wait is told once', () => {
    const { waitingFor: _, ...running } = progress({
      status: 'running',
      targets: [{ target: 'prod-cluster', state: 'pending', note: '' }],
    });
    expect(narrateAccess(null, running)).toEqual([
      'validate: done after 0.1s',
      'approval: running, 1 of 2',
    ]);
    expect(narrateAccess(running, progress())).toEqual([
      'target prod-cluster: taken',
      'target orders-db: failed, login is missing',
      'waits for approval of 2 people of security (approve, reject)',
      'status: waiting',
    ]);
    expect(narrateAccess(progress(), progress())).toEqual([]);
  });
});

describe('the exit code of a change', () => {
  test.each([
    ['changed', 0],
    ['unchanged', 0],
    ['certified', 0],
    ['put-back', 7],
    ['not-certified', 7],
    ['partial', 8],
  ] as const)('that ends %s is %i', (outcome, code) => {
    expect(accessExitCode({ outcome })).toBe(code);
  });
});
