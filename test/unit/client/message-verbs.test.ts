import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { createProgram } from '../../../client/cli/program.ts';
import { OpsError } from '../../../client/ops-error.ts';

/** What somebody sees who types this; nothing is connected to. */
const typed = async (...words: string[]): Promise<{ error: unknown; shown: string }> => {
  let shown = '';
  const output = { write: (text: string) => (shown += text) };
  const terminal = { stdout: output, stderr: output, stdin: Readable.from([]) };
  const program = createProgram({
    terminal: { ...terminal, canAsk: false, colour: false },
    end: () => undefined,
  });
  const error = await program.parseAsync(words, { from: 'user' }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, shown };
};

const about = ['shop', '-e', 'staging', '--reason', 'because'];

describe('set-weight', () => {
  test.each(['abc', '', ' ', '101', '-5', '30%', '1e1', '0x10', '12.5'])(
    'refuses %j before anything is sent, and names the field',
    async (weight) => {
      const { error } = await typed('set-weight', ...about, `--weight=${weight}`);
      expect(error).toBeInstanceOf(OpsError);
      expect(error).toMatchObject({ code: 'INVALID_INPUT', exitCode: 2, subject: '--weight' });
      expect((error as OpsError).message).toContain('whole number from 0 to 100');
    },
  );

  test('needs a weight', async () => {
    const { shown } = await typed('set-weight', ...about);
    expect(shown).toContain("required option '--weight <percent>' not specified");
  });
});

describe('help', () => {
  test.each(['set-weight', 'promote', 'promote-full'])(
    'of %s says what it leaves out',
    async (verb) => {
      const { shown } = await typed(verb, '--help');
      expect(shown).toMatch(/Nothing judges it|approves\s+nothing|gates that are left are skipped/);
      expect(shown).toContain(`holdfast ${verb} shop`);
      for (const line of shown.split('\n')) expect(line.length).toBeLessThanOrEqual(81);
    },
  );

  test('a misspelt verb of deploy deploys nothing', async () => {
    const { error, shown } = await typed('deploy', 'explian', 'shop', '-e', 'staging');
    expect(error).toMatchObject({ exitCode: 1 });
    expect(shown).toContain("too many arguments for 'deploy'");
  });
});
