import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { createFilesystemAccessKeys, makeAccessKey } from '../../activities/identity/index.ts';
import type { AccessKeyEntry } from '../../domain/security/access-key.ts';

/** An access configuration in files of its own, which a test changes as an administrator would. */
export interface AccessFolder {
  readonly file: string;
  /** Where access.yaml has its keys. */
  readonly keysFile: string;
  pathOf(name: string): string;
  write(name: string, content: unknown): string;
  /** Makes a key as `holdfast access create` does; its text is what the holder has. */
  keyFor(holder: string, changes?: Partial<AccessKeyEntry>): Promise<{ id: string; text: string }>;
  /** Takes a user out of the directory. */
  leave(name: string): void;
  remove(): void;
}

export const users = {
  'rita@example.com': { groups: ['releasers'] },
  'omar@example.com': { groups: ['operators'] },
  'anna@example.com': { groups: ['approvers'] },
  'adam@example.com': { groups: ['admins'] },
  'nina@example.com': { groups: [] },
  'ci@example.com': { kind: 'service', groups: ['releasers', 'approvers'] },
};

export const accessFile = {
  directory: 'directory.yaml',
  roles: [
    { role: 'releaser', groups: ['releasers'] },
    { role: 'operator', groups: ['operators'] },
    { role: 'approver', groups: ['approvers'] },
    { role: 'admin', groups: ['admins'] },
  ],
};

const yearMs = 365 * 86_400_000;

export const createAccessFolder = (changes: Record<string, unknown> = {}): AccessFolder => {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-access-'));
  const pathOf = (name: string): string => path.join(folder, name);
  const write = (name: string, content: unknown): string => {
    writeFileSync(pathOf(name), typeof content === 'string' ? content : stringify(content));
    return pathOf(name);
  };
  write('directory.yaml', { users });
  const keysFile = pathOf('access-keys.json');
  return {
    file: write('access.yaml', { ...accessFile, ...changes }),
    keysFile,
    pathOf,
    write,
    keyFor: async (holder, entry = {}) => {
      const { text, id, publicKey } = makeAccessKey(holder);
      const at = new Date();
      await createFilesystemAccessKeys(keysFile).add({
        ...{ id, holder, publicKey },
        scope: { environments: [], actions: [] },
        createdAt: at.toISOString(),
        expiresAt: new Date(at.getTime() + yearMs).toISOString(),
        ...entry,
      });
      return { id, text };
    },
    leave: (name) => {
      const rest = Object.entries(users).filter(([user]) => user !== name);
      write('directory.yaml', { users: Object.fromEntries(rest) });
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
};
