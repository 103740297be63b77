import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTemporalClaimsTarget } from '../../../activities/identity/index.ts';
import { describeMembership, type Membership } from '../../../domain/security/access-target.ts';
import { describeAccessTarget } from '../../conformance/access-targets.ts';
import { createInMemoryAccessTarget } from '../../fakes/in-memory-access-target.ts';

let folder: string;
let serial = 0;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-claims-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const newFile = (): string => {
  serial += 1;
  return path.join(folder, `claims-${String(serial)}.json`);
};

const read = (file: string): Record<string, string[]> =>
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, string[]>;

const users = ['ana@example.com', 'bob@example.com'] as const;

describe.each([true, false])('with groups: %s', (takesGroups) => {
  describeAccessTarget('memory', async () => {
    const { target, knobs } = createInMemoryAccessTarget({ takesGroups });
    const byHand: Membership = { member: 'olga@example.com', kind: 'user', right: 'view' };
    return Promise.resolve({
      ...{ target, users, rights: ['view', 'edit'] as const },
      ...(takesGroups ? { group: 'shop-team' } : {}),
      giveByHand: async () => {
        knobs.others.set(describeMembership(byHand), byHand);
        return Promise.resolve(byHand);
      },
      has: async (membership) => {
        const key = describeMembership(membership);
        return Promise.resolve(knobs.ours.has(key) || knobs.others.has(key));
      },
      version: async () => Promise.resolve(knobs.writes.join('\n')),
      wroteFirst: async (one, other) => {
        const last = knobs.writes.slice(-2).map((line) => line.slice(2));
        const first = last[0] ?? '';
        return Promise.resolve(first.startsWith(one) ? one : other);
      },
    });
  });
});

const rights = { operator: ['shop:write', 'shop:read'], releaser: ['shop:read'] };

describeAccessTarget('a file of Temporal permissions', async () => {
  const file = newFile();
  return Promise.resolve({
    target: createTemporalClaimsTarget({ claimsFile: file, rights }),
    ...{ users, rights: ['shop:read', 'shop:write'] as const },
    giveByHand: async () => {
      const member = 'olga@example.com';
      writeFileSync(file, JSON.stringify({ [member]: ['temporal-system:admin'] }), { mode: 0o600 });
      return Promise.resolve({ member, kind: 'user', right: 'temporal-system:admin' });
    },
    has: async ({ member, right }) => Promise.resolve(read(file)[member]?.includes(right) ?? false),
    version: async () => {
      const { ino, mtimeNs } = statSync(file, { bigint: true });
      const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
      return Promise.resolve([ino, mtimeNs, hash].join(' '));
    },
  });
});

const ana = { member: 'ana@example.com', kind: 'user', right: 'shop:read' } as const;

describe('the file of Temporal permissions', () => {
  const targetOf = (claimsFile: string) => createTemporalClaimsTarget({ claimsFile, rights });
  const refused = { type: 'ACCESS_TARGET_REFUSED', nonRetryable: true };

  test('is sorted, and for its owner alone', async () => {
    const file = newFile();
    const bob = { ...ana, member: 'bob@example.com' };
    const write = { ...ana, right: 'shop:write' };
    await targetOf(file).change({ remove: [], give: [bob, write, ana] });
    expect(readFileSync(file, 'utf8')).toBe(
      `${JSON.stringify({ 'ana@example.com': ['shop:read', 'shop:write'], 'bob@example.com': ['shop:read'] }, null, 2)}\n`,
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await targetOf(file).change({ remove: [write, ana], give: [] });
    expect(read(file)).toEqual({ 'bob@example.com': ['shop:read'] });
  });

  test.each(['{', '[]', '{"ana@example.com":"shop:read"}', '{"ana@example.com":[1]}', ''])(
    'that is broken is refused and left as it is: %s',
    async (text) => {
      const file = newFile();
      writeFileSync(file, text, { mode: 0o600 });
      await expect(targetOf(file).read()).rejects.toMatchObject(refused);
      const change = targetOf(file).change({ remove: [], give: [ana] });
      await expect(change).rejects.toMatchObject(refused);
      expect(readFileSync(file, 'utf8')).toBe(text);
    },
  );

  test('that others can read is refused and left as it is', async () => {
    const file = newFile();
    await targetOf(file).change({ remove: [], give: [ana] });
    chmodSync(file, 0o644);
    await expect(targetOf(file).read()).rejects.toMatchObject(refused);
    const change = targetOf(file).change({ remove: [ana], give: [] });
    await expect(change).rejects.toMatchObject(refused);
    expect(read(file)).toEqual({ 'ana@example.com': ['shop:read'] });
  });

  test('takes changes at once one after the other', async () => {
    const file = newFile();
    const people = ['ana', 'bob', 'cleo', 'dora', 'emil'].map((member) => ({ ...ana, member }));
    await Promise.all(
      people.map(async (each) => targetOf(file).change({ remove: [], give: [each] })),
    );
    expect(Object.keys(read(file))).toEqual(people.map(({ member }) => member));
  });

  test('is not written while another process changes it, and that passes', async () => {
    const file = newFile();
    writeFileSync(`${file}.lock`, '1\n');
    const change = targetOf(file).change({ remove: [], give: [ana] });
    await expect(change).rejects.toMatchObject({
      type: 'ACCESS_TARGET_UNREACHABLE',
      nonRetryable: false,
      details: [{ next: expect.stringContaining(`${file}.lock`) }],
    });
  });

  test('in a place that is none is refused', async () => {
    const file = newFile();
    writeFileSync(file, '{}', { mode: 0o600 });
    const change = targetOf(path.join(file, 'claims.json')).change({ remove: [], give: [ana] });
    await expect(change).rejects.toMatchObject(refused);
  });
});
