import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  createEnvironments,
  createRbacAccessTarget,
} from '../../../activities/kubernetes/index.ts';
import type { AccessTarget, Membership } from '../../../domain/security/access-target.ts';
import { closedAddress } from '../traffic/http-target.ts';
import { accessSpaces, targetIn, type AccessSpace } from './access-space.ts';
import { environmentsAs, type Rule } from './limited-account.ts';
import { publishedRules } from './published-rules.ts';

const users = ['ana@example.com', 'bob@example.com'] as const;
const openSpace = accessSpaces();

describe('RoleBindings', () => {
  let space: AccessSpace;
  let target: AccessTarget;
  let rights: AccessSpace['rights'];
  let read: Membership;
  const refused = { type: 'ACCESS_TARGET_REFUSED', nonRetryable: true };

  beforeEach(async () => {
    space = await openSpace();
    ({ target, rights } = space);
    read = { member: users[0], kind: 'user', right: rights[0] };
  });

  test('to a ClusterRole that is not there are not made', async () => {
    const give = [{ ...read, right: 'no-such-role' }];
    await expect(target.change({ remove: [], give })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('There is no ClusterRole no-such-role'),
    });
    expect(await space.bindings()).toEqual([]);
  });

  describe('of a worker with few rights', () => {
    const withRights = async (name: string, rules: Rule[]): Promise<AccessTarget> =>
      targetIn(
        await environmentsAs(space.sandbox, space.site, {
          name,
          rules,
          directory: space.directory,
        }),
      );

    const ours = async (): Promise<Rule[]> =>
      (await publishedRules('access-target.yaml')).map((rule) =>
        rule.resourceNames === undefined ? rule : { ...rule, resourceNames: [...rights] },
      );

    const without = (rules: Rule[], verb: string): Rule[] =>
      rules
        .map((rule) => ({ ...rule, verbs: rule.verbs.filter((each) => each !== verb) }))
        .filter(({ verbs }) => verbs.length > 0);

    test('are made, changed and ended by the rights that the worker is asked to have', async () => {
      const worker = await withRights('published', await ours());
      const bob = { ...read, member: users[1] };
      await worker.change({ remove: [], give: [read] });
      await worker.change({ remove: [read], give: [bob] });
      expect(await worker.read()).toEqual([bob]);
      await worker.change({ remove: [bob], give: [] });
      expect(await worker.read()).toEqual([]);
    });

    test('are refused where it may not bind, with what to grant', async () => {
      const worker = await withRights('no-bind', without(await ours(), 'bind'));
      const error: unknown = await worker
        .change({ remove: [], give: [read] })
        .catch((each: unknown) => each);
      expect(error).toMatchObject({
        ...refused,
        message: expect.stringContaining(`may not give ClusterRole ${rights[0]}`),
        details: [{ next: expect.stringContaining('the verb bind on clusterroles') }],
      });
      const missing = worker.change({ remove: [], give: [{ ...read, right: 'no-such-role' }] });
      await expect(missing).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining('There is no ClusterRole no-such-role'),
      });
      expect(await worker.read()).toEqual([]);
    });

    test('are refused where it may not create or list them', async () => {
      const noCreate = await withRights('no-create', without(await ours(), 'create'));
      await expect(noCreate.change({ remove: [], give: [read] })).rejects.toMatchObject({
        ...refused,
        details: [{ next: expect.stringContaining('deploy/kubernetes/access-target.yaml') }],
      });
      const noList = await withRights('no-list', without(await ours(), 'list'));
      await expect(noList.read()).rejects.toMatchObject(refused);
    });
  });

  test('cannot be read or given where the cluster is away, and that passes', async () => {
    const kubeconfig = path.join(space.directory, 'away.kubeconfig');
    const server = await closedAddress();
    await writeFile(
      kubeconfig,
      JSON.stringify({
        ...{ apiVersion: 'v1', kind: 'Config' },
        clusters: [{ name: 'away', cluster: { server } }],
        users: [{ name: 'away', user: {} }],
        contexts: [{ name: 'away', context: { cluster: 'away', user: 'away' } }],
      }),
      { mode: 0o600 },
    );
    const environments = createEnvironments({
      file: {
        environments: {
          staging: { kubeconfig, context: 'away', namespace: 'shop', traffic: 'none' },
        },
      },
      directory: space.directory,
    });
    const away = { type: 'ACCESS_TARGET_UNREACHABLE', nonRetryable: false };
    await expect(targetIn(environments).read()).rejects.toMatchObject(away);
    const change = targetIn(environments).change({ remove: [], give: [read] });
    await expect(change).rejects.toMatchObject(away);
    const unknown = createRbacAccessTarget({ environments, environment: 'cellar' });
    await expect(unknown.read()).rejects.toMatchObject(refused);
  });
});
