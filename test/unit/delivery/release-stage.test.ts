import { expect, test } from '@jest/globals';
import {
  beginStage,
  closeForward,
  endStage,
  firstStages,
  noteStage,
  withLinesAfter,
  withSteps,
} from '../../../domain/delivery/release-stage.ts';

const statuses = (stages: ReturnType<typeof firstStages>): Record<string, string> =>
  Object.fromEntries(stages.map(({ name, status }) => [name, status]));

test('the steps of a plan take the place of the last plan', () => {
  const once = withSteps(firstStages(), ['patch ConfigMap/a', 'patch Deployment/a']);
  const twice = withSteps(once, ['patch Deployment/a']);
  expect(twice.map(({ name }) => name)).toEqual([
    'validate',
    'lock',
    'plan',
    'approval',
    'pre-image',
    'patch Deployment/a',
    'endpoints',
    'smoke',
    'bake',
    'prove',
    'finalise',
  ]);
});

test('a stage that begins again loses its old end', () => {
  const failed = endStage(beginStage(firstStages(), 'smoke', 1), 'smoke', {
    status: 'failed',
    note: '500',
    nowMs: 2,
  });
  const again = beginStage(failed, 'smoke', 3).find(({ name }) => name === 'smoke');
  expect(again).toEqual({ name: 'smoke', status: 'running', note: '', startedAtMs: 3 });
});

test('when the way back begins, nothing forward is running or pending any more', () => {
  const running = noteStage(beginStage(firstStages(), 'plan', 1), 'plan', 'busy');
  const closed = statuses(closeForward(running, 2));
  expect(closed['plan']).toBe('failed');
  expect(closed['smoke']).toBe('skipped');
  expect(Object.values(closed)).not.toContain('pending');
});

test('a stage that was not foreseen is put at the end', () => {
  const stages = beginStage(firstStages(), 'unwind', 1);
  expect(stages.at(-1)).toMatchObject({ name: 'unwind', status: 'running' });
});

test('lines that a release asks for come behind the bake', () => {
  const names = withLinesAfter(firstStages(), 'bake', ['verification']).map(({ name }) => name);
  expect(names.slice(-4)).toEqual(['bake', 'verification', 'prove', 'finalise']);
});
