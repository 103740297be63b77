import { describe, expect, test } from '@jest/globals';
import { explainRelease } from '../../../client/cli/explain/explain-release.ts';
import type { Explanation } from '../../../client/cli/explain/explanation.ts';
import type { ReleaseFacts } from '../../../client/cli/explain/release-facts.ts';
import { renderExplanation } from '../../../client/cli/explain/render-explanation.ts';
import { clockText, lengthText, listText, untilText } from '../../../client/cli/explain/wording.ts';
import { canaryStages, facts, lock, nowMs, progress, result } from './known-releases.ts';

const explain = (changes: Partial<ReleaseFacts> = {}): Explanation =>
  explainRelease(facts(changes));

const effectsOf = ({ commands }: Explanation): Record<string, string> =>
  Object.fromEntries(
    commands.map(({ command, effect }) => [command.split(' ')[1] ?? command, effect]),
  );

describe('a release that stopped', () => {
  const asks = (verbs: string[], changes = {}): Partial<ReleaseFacts> => ({
    progress: progress({
      status: 'needs-operator',
      waitingFor: { what: 'an operator: patch Service/shop failed, HTTP 403', verbs },
      ...changes,
    }),
  });

  test('a step on hold: what each verb would do, and that nothing happens by itself', () => {
    const told = explain(asks(['retryStep', 'skip', 'abort']));
    expect(told.headline).toBe('needs an operator');
    expect(told.why[0]).toBe('Patch Service/shop failed, HTTP 403.');
    expect(told.next[0]).toBe('Nothing happens by itself.');
    expect(effectsOf(told)).toEqual({
      'retry-step': 'tries the step again',
      skip: 'goes on without the step',
      abort: 'puts everything back',
    });
  });

  test('something that cannot be undone: the same verbs mean something else there', () => {
    const failure = { code: 'BAKE_FAILED', message: 'too many failures' };
    const told = explain(asks(['retryCompensation', 'skip', 'abort'], { failure }));
    expect(told.why).toContain('It was being put back because of BAKE_FAILED: too many failures.');
    expect(effectsOf(told)).toMatchObject({
      skip: 'leaves that object as it is; the result will be restored-with-exceptions',
      abort: 'gives up on all that is left; the proof lists it',
    });
  });

  test('something that cannot be cleaned up after everything is new: no fear is spread', () => {
    const told = explain(asks(['retryCompensation', 'skip', 'abort']));
    expect(told.why[1]).toContain('Everything is new and proven');
    expect(effectsOf(told)).toMatchObject({
      skip: 'leaves the object; the release counts as deployed',
    });
  });

  test('no worker: that the run is safe, where it was, and what to start', () => {
    const told = explain({
      progress: null,
      plan: null,
      silence: 'No worker answered in time',
      lastStage: 'shift',
      identities: [],
    });
    expect(told.situation).toBe('silent');
    expect(told.now).toEqual([
      'The run is safe on the server: nothing is lost and nothing is repeated.',
      'The last stage it told of is `shift`.',
    ]);
    expect(told.why).toEqual(['No worker answered in time.']);
    expect(effectsOf(told)).toHaveProperty('worker');
    // Who asked is in the history, which needs no worker; what is written is not known.
    expect(told.done).toEqual(['ana@example.com asked for it: “summer catalogue”.']);
  });

  test('paused by the server: that this is not our pause, and how it is lifted', () => {
    const told = explain({ progress: null, executionStatus: 'PAUSED' });
    expect(told.situation).toBe('paused-by-server');
    expect(told.commands[0]?.command).toContain(
      'temporal workflow unpause --workflow-id deploy:production:shop:2.4.1',
    );
  });

  test('terminated: that nothing was undone, and the decisions about the lock', () => {
    const dead = lock({
      status: 'needs-operator',
      needsOperator: { why: 'its holder was terminated', verbs: ['restore', 'adopt', 'release'] },
    });
    const told = explain({ executionStatus: 'TERMINATED', lock: dead });
    expect(told.headline).toBe('was ended from outside: terminated');
    expect(told.why[0]).toContain('nothing was undone');
    expect(told.commands).toHaveLength(3);
    const unnoticed = explain({ executionStatus: 'TERMINATED', lock: lock() });
    expect(unnoticed.next[0]).toContain('notices the death of its lock holder within minutes');
  });
});

describe('a release that has ended', () => {
  const ended = { executionStatus: 'COMPLETED' };

  test('deployed: the proof, and nothing to do', () => {
    const told = explain({ ...ended, result });
    expect(told).toMatchObject({ situation: 'finished', headline: 'is deployed and proven' });
    expect(told.now).toEqual(['The proof: 2 of 2 objects are exactly as they must be.']);
    expect(told.why).toEqual([]);
  });

  test('put back with exceptions: why, and which objects', () => {
    const [row] = result.proof.rows;
    if (row === undefined) throw new Error('the known result has no proof');
    const rows = [row, { ...row, verdict: 'foreign-change-preserved' as const }];
    const told = explain({
      ...ended,
      result: {
        ...result,
        outcome: 'restored-with-exceptions',
        failedStep: 'bake',
        failure: { code: 'BAKE_FAILED', message: 'too many failures', next: 'Repair it.' },
        proof: { ...result.proof, rows },
      },
    });
    expect(told.headline).toContain('not everything is exactly as before');
    expect(told.now).toContain('Not exact: Deployment/shop foreign change preserved.');
    expect(told.why).toEqual(['BAKE_FAILED in `bake`: too many failures.']);
    expect(told.next).toContain('Repair it.');
  });

  test('refused: the code and what to do, also when no worker tells more', () => {
    const refusal = { code: 'NAMESPACE_MISSING', message: 'no namespace', next: 'Create it.' };
    const told = explain({ executionStatus: 'FAILED', progress: null, refusal });
    expect(told.headline).toBe('was refused; nothing was touched');
    expect(told.why).toEqual(['NAMESPACE_MISSING: no namespace.']);
    expect(told.next).toContain('Create it.');
  });
});

describe('an explanation on a terminal', () => {
  const name = { service: 'shop', release: '2.4.1', environment: 'production' };

  test('has a label for each part, wraps sentences and leaves commands whole', () => {
    const drawn = renderExplanation(name, explain(), { widthChars: 60, colour: false });
    const lines = drawn.split('\n');
    expect(lines[0]).toBe('shop 2.4.1 → production watches the new version under all');
    expect(drawn).toContain('\nwhy        Gate `watch at 10 %` has to pass');
    expect(drawn).toContain('\nso far     ana@example.com asked for it');
    const prose = lines.filter((line) => !line.startsWith('  holdfast '));
    for (const line of prose) expect(line.length).toBeLessThanOrEqual(60);
    expect(drawn).toContain('\n  holdfast abort shop -e production --release 2.4.1 --reason "…"\n');
  });

  test('leaves out a part that says nothing', () => {
    const silent = { ...explain(), waitsFor: [], commands: [] };
    const drawn = renderExplanation(name, silent, { widthChars: 80, colour: false });
    expect(drawn).not.toContain('waits for');
    expect(drawn.endsWith('\n')).toBe(false);
    expect(renderExplanation(name, silent, { widthChars: 80, colour: true })).toContain('\u001b[');
  });

  test('is the same explanation for the same facts', () => {
    const changes = { progress: progress({ stages: canaryStages('bake') }) };
    expect(explain(changes)).toEqual(explain(changes));
  });
});

describe('times and lists in words', () => {
  test('a clock tells the day only where it is another one', () => {
    expect(clockText(nowMs, nowMs)).toBe('03:10:00 UTC');
    expect(clockText(nowMs + 24 * 3_600_000, nowMs)).toBe('2026-11-23 03:10:00 UTC');
    expect(untilText(nowMs + 250_000, nowMs)).toBe('03:14:10 UTC (in 4m 10s)');
    expect(untilText(nowMs - 1, nowMs)).toContain('that is over');
  });

  test.each([
    [0, '0.0s'],
    [400, '0.4s'],
    [45_000, '45s'],
    [600_000, '10m'],
    [5_400_000, '1h 30m'],
    [3_600_000 + 5_000, '1h'],
    [2 * 86_400_000 + 3_600_000, '2d 1h'],
  ])('%d ms are %s', (ms, text) => {
    expect(lengthText(ms)).toBe(text);
  });

  test('a list ends with what is left', () => {
    expect(listText([], 2)).toBe('');
    expect(listText(['a'], 2)).toBe('a');
    expect(listText(['a', 'b'], 2)).toBe('a and b');
    expect(listText(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
  });
});
