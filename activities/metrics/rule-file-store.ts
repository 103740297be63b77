import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { access, constants, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ruleFileName } from '../../domain/delivery/alert-rules.ts';
import { codedFailure } from '../coded-failure.ts';

/** The rule file of one service in a rules directory. */
export interface RuleFileStore {
  readonly path: string;
  /** Null where there is none. */
  read(): string | null;
  /**
   * Replaces the file if it is one of `expected`; true if it now is `text`. Refuses an epoch that
   * is lower than one that wrote before.
   */
  replace(change: {
    text: string | null;
    expected: readonly (string | null)[];
    epoch: number;
  }): Promise<boolean>;
}

interface Place {
  directory: string;
  environment: string;
  service: string;
}

/**
 * Looking and replacing happen in one go, without a step in between in which this process could do
 * anything else. What an attempt that was given up may still do is stopped by the fence: a file
 * beside the rule file that outlives it, and that Prometheus may read as rules that are empty.
 */
export const openRuleFile = ({ directory, environment, service }: Place): RuleFileStore => {
  const file = path.join(directory, ruleFileName({ environment, service }));
  const fenceFile = path.join(directory, `.${path.basename(file, '.yaml')}.fence`);
  const read = (): string | null => readIfPresent(file);
  return {
    path: file,
    read,
    async replace({ text, expected, epoch }) {
      await sweep(directory);
      const fence = await written(fenceFile, `# holdfast epoch ${String(epoch)}\ngroups: []\n`);
      const content = text === null ? undefined : await written(file, text);
      try {
        refuseOutdated(fenceFile, epoch);
        const live = read();
        if (live !== text && !expected.includes(live)) return false;
        renameSync(fence, fenceFile);
        if (live === text) return true;
        if (content === undefined) rmSync(file);
        else renameSync(content, file);
        return true;
      } finally {
        await rm(fence, { force: true });
        if (content !== undefined) await rm(content, { force: true });
      }
    },
  };
};

/** @throws CONFIGURATION_INVALID where files cannot be put there */
export const refuseUnusable = async (directory: string, environment: string): Promise<void> => {
  try {
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const { message } = Object(error) as { message?: unknown };
    throw codedFailure({
      code: 'CONFIGURATION_INVALID',
      message: `The rules directory of ${environment} cannot be used (${String(message)}); nothing was changed.`,
      subject: `environments.${environment}.metrics.prometheus.rulesDirectory`,
    });
  }
};

/** A complete file beside the one that it is to replace. Prometheus, another user, must read it. */
const written = async (file: string, text: string): Promise<string> => {
  const beside = path.join(path.dirname(file), `${leftover}${randomUUID()}`);
  const handle = await open(beside, 'wx');
  try {
    await handle.chmod(0o644);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return beside;
};

const leftover = '.holdfast-new.';
const leftoverAfterMs = 600_000;

/** Removes what a process that was killed between writing and renaming left; nobody else will. */
const sweep = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(leftover)) continue;
    const file = path.join(directory, name);
    const writtenAtMs = await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - writtenAtMs > leftoverAfterMs) await rm(file, { force: true });
  }
};

const refuseOutdated = (fenceFile: string, epoch: number): void => {
  const [, seen = '0'] = /^# holdfast epoch (\d+)$/m.exec(readIfPresent(fenceFile) ?? '') ?? [];
  if (epoch >= Number(seen)) return;
  throw codedFailure({
    code: 'FENCED',
    message: `The alerts were written under epoch ${seen}, this attempt has ${String(epoch)}; it changed nothing.`,
    next: `Nothing; the newer owner decides. Where the environment was made anew and epochs begin again, delete ${fenceFile}.`,
    subject: fenceFile,
  });
};

const readIfPresent = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((Object(error) as { code?: unknown }).code === 'ENOENT') return null;
    throw error;
  }
};
