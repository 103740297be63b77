import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadAccessChange } from '../../../client/cli/files/index.ts';
import { createProgram } from '../../../client/cli/program.ts';
import { OpsError } from '../../../client/ops-error.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-change-'));
});
afterAll(async () => rm(folder, { recursive: true }));

const fileOf = async (text: string): Promise<string> => {
  const file = path.join(folder, 'change.yaml');
  await writeFile(file, text);
  return file;
};

/** What somebody gets who types this; nothing is connected to. */
const typed = async (...words: string[]): Promise<{ error: unknown; shown: string }> => {
  let shown = '';
  const output = { write: (text: string) => (shown += text) };
  const terminal = { stdout: output, stderr: output, stdin: Readable.from([]) };
  const context = { terminal: { ...terminal, canAsk: false, colour: false }, end: () => undefined };
  const error = await createProgram(context)
    .parseAsync(words, { from: 'user' })
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  return { error, shown };
};

describe('the file of a change of access', () => {
  test('becomes a request, lengths of time in milliseconds', async () => {
    const file = await fileOf(
      [
        'change: ops-4711',
        'give:',
        '  - { role: operator, user: ana@example.com, environments: [prod], for: 8h }',
        'remove: [{ role: releaser, group: shop-team }]',
        'reason: Ana is on call this week',
      ].join('\n'),
    );
    expect(await loadAccessChange(file)).toEqual({
      change: 'ops-4711',
      give: [
        { role: 'operator', user: 'ana@example.com', environments: ['prod'], forMs: 28_800_000 },
      ],
      remove: [{ role: 'releaser', group: 'shop-team' }],
      notify: [],
      requestedBy: { reason: 'Ana is on call this week' },
    });
  });

  test('each mistake is named with its place', async () => {
    const file = await fileOf(
      [
        'change: OPS 4711',
        'give:',
        '  - { role: operator, user: ana@example.com, group: shop-team }',
        '  - { role: operator, user: ana@example.com, for: 400d }',
        'until: friday',
      ].join('\n'),
    );
    const error: unknown = await loadAccessChange(file).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpsError);
    const { code, message } = error as OpsError;
    expect(code).toBe('INVALID_INPUT');
    expect(message).toMatch(/:1:1 change: must consist of lower-case letters/);
    expect(message).toMatch(/:3:\d+ give\[0\]\.user: either user or group/);
    expect(message).toMatch(/:4:\d+ give\[1\]\.for: must be more than nothing, and 366d/);
    expect(message).toMatch(/:5:1 until: there is no such field/);
  });

  test('needs something to do', async () => {
    await expect(loadAccessChange(await fileOf('change: ops-1'))).rejects.toThrow(
      /give: needs something to give or to remove/,
    );
  });
});

describe('holdfast access change', () => {
  test('says that a reason is missing before it connects to anything', async () => {
    const file = await fileOf('change: ops-1\ngive: [{ role: operator, user: ana@example.com }]');
    const { error } = await typed('access', 'change', '-f', file);
    expect(error).toMatchObject({ code: 'INVALID_INPUT', subject: 'reason', exitCode: 2 });
    expect((error as OpsError).message).toContain('Nothing was changed.');
  });

  test('names the command where there is no file', async () => {
    const { error } = await typed('access', 'change', '-f', path.join(folder, 'nothing.yaml'));
    expect(error).toMatchObject({
      code: 'INVALID_INPUT',
      next: expect.stringContaining('holdfast access change -f change.yaml'),
    });
  });
});

describe('other verbs of access', () => {
  test('breaking glass needs an environment and a reason', async () => {
    const without = await typed('access', 'break-glass', 'operator', '-e', 'prod');
    expect(without.shown).toContain("required option '--reason <text>' not specified");
    const nowhere = await typed('access', 'break-glass', 'operator', '-e', '', '--reason', 'down');
    expect(nowhere.error).toMatchObject({ code: 'INVALID_INPUT', subject: 'environment' });
  });

  test('certifications are scheduled or stopped, not both', async () => {
    const { shown } = await typed('access', 'certify', '--every', 'month', '--stop');
    expect(shown).toContain("option '--stop' cannot be used with option '--every <interval>'");
    const daily = await typed('access', 'certify', '--every', 'day');
    expect(daily.shown).toContain('Allowed choices are month, quarter');
  });

  test.each(['change', 'break-glass', 'get', 'approve', 'skip', 'certify', 'review'])(
    '%s has an example in its help, no line of which is too long',
    async (verb) => {
      const { shown } = await typed('access', verb, '--help');
      expect(shown).toContain(`holdfast access ${verb}`);
      for (const line of shown.split('\n')) expect(line.length).toBeLessThanOrEqual(90);
    },
  );
});
