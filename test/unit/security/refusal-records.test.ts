import { describe, expect, test } from '@jest/globals';
import { refusalsTold } from '../../../domain/security/refusal-records.ts';
import { refusalSinks } from '../../../workers/refused-messages.ts';
import type { AuditEntry } from '../../../domain/security/audit-record.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('refusals of a run', () => {
  test('are recorded one by one up to a hundred, then each time that they have doubled', () => {
    const told = upTo(1_000).filter((count) => refusalsTold(count) > 0);
    expect(told).toEqual([...upTo(100), 200, 400, 800]);
  });

  test('are all told once the last record is written', () => {
    const told = upTo(6_400).map(refusalsTold);
    expect(told.reduce((sum, count) => sum + count, 0)).toBe(6_400);
  });

  test('of one run leave records of another as they are, and say how many they stand for', async () => {
    const entries: AuditEntry[] = [];
    const record = (added: readonly AuditEntry[]): Promise<void> => {
      entries.push(...added);
      return Promise.resolve();
    };
    const { tell } = refusalSinks({ record }).refusals;
    const refuse = async (runId: string, id: number): Promise<void> => {
      const refused = {
        id: String(id),
        action: 'deployService.approve',
        actor: 'eve',
        reason: 'x',
      };
      await tell.fn({ workflowId: 'deploy:prod:shop:1', runId } as never, {
        ...refused,
        why: 'the proof was used before',
      });
    };
    for (const id of upTo(200)) await refuse('r-1', id);
    await refuse('r-2', 1);
    expect(entries).toHaveLength(102);
    expect(entries.at(-2)?.decision?.rule).toBe(
      'the proof was used before; 100 refusals since the last record',
    );
    expect(entries.at(-1)).toMatchObject({
      correlation: 'r-2',
      decision: { rule: 'the proof was used before' },
    });
  });
});
