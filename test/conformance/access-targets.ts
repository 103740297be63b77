import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  describeMembership,
  type AccessTarget,
  type Membership,
} from '../../domain/security/access-target.ts';

/** A target with nothing in it, and what someone sees and does there without it. */
export interface AccessTargetSite {
  target: AccessTarget;
  /** Two rights that the target is set up for. */
  rights: readonly [string, string];
  /** Two users that the target knows. */
  users: readonly [string, string];
  /** Absent where the target knows none. */
  group?: string;
  /** Gives one as an administrator of the place would, past Holdfast; it is in nobody's way. */
  giveByHand(): Promise<Membership>;
  /** What the place itself has, whoever gave it. */
  has(membership: Membership): Promise<boolean>;
  /** Another text after every write of the target. */
  version(): Promise<string>;
  /** Of two rights of a user, written by one call: which one went first; absent where it is one write. */
  wroteFirst?(one: string, other: string): Promise<string>;
}

/** What every target of access does. */
export const describeAccessTarget = (name: string, open: () => Promise<AccessTargetSite>): void => {
  describe(`memberships in ${name}`, () => {
    let site: AccessTargetSite;
    const of = (user: 0 | 1, right: 0 | 1): Membership => ({
      member: site.users[user],
      kind: 'user',
      right: site.rights[right],
    });
    const inWords = async (): Promise<string[]> =>
      (await site.target.read()).map(describeMembership).sort();
    const words = (...memberships: Membership[]): string[] =>
      memberships.map(describeMembership).sort();

    beforeEach(async () => {
      site = await open();
    });

    test('are given, to several people and of several kinds', async () => {
      expect(await site.target.read()).toEqual([]);
      const give = [of(0, 0), of(1, 0), of(0, 1)];
      await site.target.change({ remove: [], give });
      expect(await inWords()).toEqual(words(...give));
      for (const each of give) expect(await site.has(each)).toBe(true);
      expect(await site.has(of(1, 1))).toBe(false);
    });

    test('are taken away, and others are left', async () => {
      await site.target.change({ remove: [], give: [of(0, 0), of(1, 0)] });
      await site.target.change({ remove: [of(0, 0)], give: [] });
      expect(await inWords()).toEqual(words(of(1, 0)));
      expect(await site.has(of(0, 0))).toBe(false);
      await site.target.change({ remove: [of(1, 0)], give: [] });
      expect(await site.target.read()).toEqual([]);
      expect(await site.has(of(1, 0))).toBe(false);
    });

    test('are taken away before others are given by the same change', async () => {
      await site.target.change({ remove: [], give: [of(0, 0), of(1, 0)] });
      await site.target.change({ remove: [of(0, 0)], give: [of(0, 1)] });
      expect(await inWords()).toEqual(words(of(1, 0), of(0, 1)));
      const [removed, given] = site.rights;
      expect((await site.wroteFirst?.(removed, given)) ?? removed).toBe(removed);
    });

    test('stay as they are when a change is repeated', async () => {
      await site.target.change({ remove: [], give: [of(0, 0), of(1, 0)] });
      const change = { remove: [of(0, 0)], give: [of(0, 1)] };
      await site.target.change(change);
      const before = await site.version();
      await site.target.change(change);
      await site.target.change({ remove: [], give: [] });
      expect(await site.version()).toBe(before);
      expect(await inWords()).toEqual(words(of(1, 0), of(0, 1)));
    });

    test('of others stay, and are not taken for ours', async () => {
      const byHand = await site.giveByHand();
      expect(await site.has(byHand)).toBe(true);
      expect(await site.target.read()).toEqual([]);
      await site.target.change({ remove: [], give: [of(0, 0)] });
      await site.target.change({ remove: [of(0, 0)], give: [] });
      expect(await site.has(byHand)).toBe(true);
      expect(await site.target.read()).toEqual([]);
    });

    test('of groups are not mixed up with those of users', async () => {
      const group = { member: site.group ?? site.users[0], kind: 'group', right: site.rights[0] };
      const membership = group as Membership;
      if (site.group === undefined) {
        const change = site.target.change({ remove: [], give: [membership] });
        await expect(change).rejects.toMatchObject({ type: 'ACCESS_TARGET_REFUSED' });
        expect(await site.target.read()).toEqual([]);
        return;
      }
      const user: Membership = { ...membership, kind: 'user' };
      await site.target.change({ remove: [], give: [membership, user] });
      await site.target.change({ remove: [user], give: [] });
      expect(await inWords()).toEqual(words(membership));
      expect(await site.has(membership)).toBe(true);
    });
  });
};
