import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createReplayer } from './history-replayer.ts';
import { recordedHistories } from './recorded-history.ts';
import type { RecordedHistory } from './recorded-history.ts';

const histories = await recordedHistories();
const replayer = createReplayer();
afterAll(() => replayer.close());

const replay = async ({ events }: RecordedHistory): Promise<void> => {
  const started = events[0]?.['workflowExecutionStartedEventAttributes'] as { workflowId: string };
  // Runs recognise answers to them by their own id, so it has to be the recorded one.
  await replayer.replay({ events }, started.workflowId);
};

const named = (name: string): RecordedHistory => {
  const found = histories.find((history) => history.name === name);
  if (found === undefined) throw new Error(`no recorded history ${name}`);
  return found;
};

describe('runs that were recorded', () => {
  test.each(histories.map((history) => [history.name, history] as const))(
    '%s replays',
    async (_, history) => {
      await replay(history);
    },
  );

  test('there is one of every workflow type', async () => {
    const index = await readFile(
      path.join(import.meta.dirname, '../../workflows/index.ts'),
      'utf8',
    );
    const types = [...index.matchAll(/export \{ (\w+) \}/g)].map(([, type]) => type);
    expect(types.length).toBeGreaterThan(0);
    const recorded = new Set(histories.map(({ name }) => name.split('.')[0]));
    expect(types.filter((type) => !recorded.has(type))).toEqual([]);
  });

  test('they name neither the machine nor a path of where they were recorded', () => {
    expect(JSON.stringify(histories)).not.toMatch(/"(identity|stackTrace)":|\/root\/|\/home\//);
  });
});

/** The same history with another activity in the place of one that was called. */
const withOtherActivity = (history: RecordedHistory, from: string, to: string): RecordedHistory => {
  const text = JSON.stringify(history.events);
  expect(text).toContain(`"name":"${from}"`);
  return {
    name: history.name,
    events: JSON.parse(
      text.replaceAll(`"name":"${from}"`, `"name":"${to}"`),
    ) as RecordedHistory['events'],
  };
};

describe('a history that the workflows would not have made', () => {
  test.each([
    ['deployService.deployed', 'releases.capture', 'releases.prove'],
    ['deployService.restored', 'releases.revert', 'releases.prune'],
    ['serviceEntity.queue', 'releases.highestFence', 'releases.plan'],
  ])('%s with %s replaced is refused', async (name, from, to) => {
    const changed = withOtherActivity(named(name), from, to);
    await expect(replay(changed)).rejects.toMatchObject({ name: 'DeterminismViolationError' });
  });
});
