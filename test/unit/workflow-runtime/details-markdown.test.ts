import { expect, test } from '@jest/globals';
import type { DeployServiceProgress } from '../../../contracts/delivery/deploy-service.ts';
import { renderDetails } from '../../../workflows/runtime/details-markdown.ts';

const planDigest = `sha256:${'a'.repeat(64)}`;

const progress: DeployServiceProgress = {
  schemaVersion: 1,
  service: 'shop',
  environment: 'prod',
  release: '2',
  status: 'waiting',
  stages: [
    { name: 'plan', status: 'done', note: 'a | b', startedAtMs: 0, endedAtMs: 61_000 },
    { name: 'smoke', status: 'pending', note: '' },
  ],
  waitingFor: {
    what: 'approval release-manager',
    verbs: ['approve', 'reject', 'abort'],
    deadlineAtMs: 3_600_000,
    planDigest,
  },
  compensations: [],
  gates: [],
};

test('says where the run is, until when it waits, and how to answer', () => {
  const text = renderDetails(progress, 'deploy:prod:shop:2');
  expect(text.split('\n')[0]).toBe('### shop 2 → prod: waiting');
  expect(text).toContain('| plan | done | 00:00:00 | 00:01:01 | a \\| b |');
  expect(text).toContain('until 1970-01-01T01:00:00.000Z');
  expect(text).toContain(
    `- \`approve\` with \`{"actor":"you@example.com","reason":"why","planDigest":"${planDigest}"}\``,
  );
  expect(text).toContain('- `abort` with `{"actor":"you@example.com","reason":"why"}`');
  expect(text).toContain("--workflow-id 'deploy:prod:shop:2' --name approve");
});

test('stays below what the server takes, however long notes are', () => {
  const note = 'x'.repeat(500);
  const stages = Array.from({ length: 100 }, (_, index) => ({
    name: String(index),
    status: 'done' as const,
    note,
  }));
  expect(renderDetails({ ...progress, stages }, 'id').length).toBeLessThan(10_000);
});

test('says what failed and what to run next', () => {
  const failure = { code: 'SMOKE_FAILED', message: '/ answered 500', next: 'Repair it.' };
  const text = renderDetails({ ...progress, failure, failedStep: 'smoke' }, 'id');
  expect(text).toContain('**SMOKE_FAILED** in `smoke`: / answered 500 Next: Repair it.');
});
