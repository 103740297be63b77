import { beforeEach, describe, expect, test } from '@jest/globals';
import { openConnection } from '../../../activities/kubernetes/api-connection.ts';
import { openAccess } from '../../../activities/kubernetes/cluster-access.ts';
import type { Environments } from '../../../activities/kubernetes/index.ts';
import { listAt, recordAt, stringAt } from '../../../domain/delivery/canonical-json.ts';
import {
  describeMembership,
  type AccessTarget,
  type Membership,
} from '../../../domain/security/access-target.ts';
import { describeAccessTarget, type AccessTargetSite } from '../../conformance/access-targets.ts';
import { until } from '../../setup/until.ts';
import { accessSpaces, targetIn, userSubject, type AccessSpace } from './access-space.ts';
import type { RealSite } from './real-site.ts';

const users = ['ana@example.com', 'bob@example.com'] as const;
const openSpace = accessSpaces();

const versionOf = (binding: unknown): number =>
  Number(stringAt(binding, 'metadata', 'resourceVersion'));

const accessSite = async (): Promise<AccessTargetSite> => {
  const space = await openSpace();
  const { target, rights } = space;
  const ofRole = async (clusterRole: string): Promise<unknown[]> =>
    (await space.bindings()).filter((each) => stringAt(each, 'roleRef', 'name') === clusterRole);
  return {
    ...{ target, users, rights, group: 'shop-team' },
    giveByHand: async () => {
      const name = 'olga@example.com';
      await space.addBinding({ name: 'by-hand', subjects: [userSubject(name)] });
      return { member: name, kind: 'user', right: rights[0] };
    },
    has: async ({ member, kind, right }) =>
      (await ofRole(right))
        .flatMap((binding) => listAt(binding, 'subjects'))
        .some(
          (subject) =>
            stringAt(subject, 'name') === member &&
            stringAt(subject, 'kind') === (kind === 'group' ? 'Group' : 'User'),
        ),
    version: async () =>
      JSON.stringify(
        (await space.bindings()).map((each) => [
          versionOf(each),
          recordAt(each, 'metadata')['uid'],
        ]),
      ),
    wroteFirst: async (one, other) => {
      const versions = async (role: string) => (await ofRole(role)).map(versionOf);
      return Math.max(...(await versions(one))) < Math.max(...(await versions(other)))
        ? one
        : other;
    },
  };
};

describeAccessTarget('Kubernetes', accessSite);

describe('RoleBindings', () => {
  let space: AccessSpace;
  let site: RealSite;
  let target: AccessTarget;
  let rights: AccessSpace['rights'];
  let read: Membership;
  const refused = { type: 'ACCESS_TARGET_REFUSED', nonRetryable: true };

  beforeEach(async () => {
    space = await openSpace();
    ({ site, target, rights } = space);
    read = { member: users[0], kind: 'user', right: rights[0] };
  });

  /** Asks the API server as that person. */
  const may = async (person: string, groups: readonly string[] = []): Promise<boolean> => {
    const { kubeconfigPath: file, context } = space.sandbox.kubernetes;
    const connection = openConnection(await openAccess({ environment: 'sandbox', file, context }));
    const resourceAttributes = {
      ...{ namespace: site.namespace, resource: 'configmaps', verb: 'get' },
    };
    const answer = await connection.send({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      headers: {
        'content-type': 'application/json',
        'impersonate-user': person,
        ...(groups.length === 0 ? {} : { 'impersonate-group': groups.join() }),
      },
      body: JSON.stringify({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      }),
      silenceMs: 20_000,
    });
    return recordAt(await answer.body.json(), 'status')['allowed'] === true;
  };

  test('let people and groups do what the ClusterRole says, and no more once taken away', async () => {
    const group = { ...read, member: 'shop-team', kind: 'group' } as const;
    expect(await may(read.member)).toBe(false);
    await target.change({ remove: [], give: [read, group] });
    // The API server learns of RoleBindings by a watch of its own.
    await until(async () => may(read.member), Boolean);
    expect(await may('cleo@example.com', ['shop-team'])).toBe(true);
    expect(await may('cleo@example.com')).toBe(false);
    await target.change({ remove: [read], give: [] });
    await until(
      async () => may(read.member),
      (allowed) => !allowed,
    );
    expect(await may('cleo@example.com', ['shop-team'])).toBe(true);
    await target.change({ remove: [group], give: [] });
    expect(await space.bindings()).toEqual([]);
  });

  test('say that they are ours', async () => {
    await target.change({ remove: [], give: [read] });
    expect(await space.bindings()).toMatchObject([
      {
        metadata: {
          name: `holdfast-access-${rights[0]}`,
          labels: { 'app.kubernetes.io/managed-by': 'holdfast', 'holdfast.dev/access': 'managed' },
        },
      },
    ]);
  });

  test('of our name that someone else made are refused and left as they are', async () => {
    const name = `holdfast-access-${rights[0]}`;
    await space.addBinding({ name, subjects: [userSubject('olga@example.com')] });
    const before = await space.bindings();
    await expect(target.change({ remove: [], give: [read] })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining(`RoleBinding/${name}`),
    });
    const olga = { ...read, member: 'olga@example.com' };
    await target.change({ remove: [olga], give: [] });
    expect(await space.bindings()).toEqual(before);
  });

  test('of ours that bind another role now are refused and left as they are', async () => {
    const name = `holdfast-access-${rights[0]}`;
    const labels = { 'holdfast.dev/access': 'managed' };
    await space.addBinding({ name, labels, subjects: [], clusterRole: rights[1] });
    await expect(target.change({ remove: [], give: [read] })).rejects.toMatchObject(refused);
  });

  test('show who was put into them by hand, and lose them', async () => {
    const account = { kind: 'ServiceAccount', name: 'robot', namespace: 'tools' };
    const labels = { 'holdfast.dev/access': 'managed' };
    await space.addBinding({ name: 'copy', labels, subjects: [account, userSubject('olga')] });
    const found = await target.read();
    expect(found.map(({ member }) => member)).toEqual([
      'system:serviceaccount:tools:robot',
      'olga',
    ]);
    await target.change({ remove: found, give: [] });
    expect(await space.bindings()).toEqual([]);
  });

  test('take changes at once one after the other', async () => {
    const members = ['ana', 'bob', 'cleo', 'dora'];
    const give = members.map((member) => ({ ...read, member }));
    await Promise.all(give.map(async (each) => target.change({ remove: [], give: [each] })));
    expect((await target.read()).map(({ member }) => member).sort()).toEqual(members);
    const [ana, ...others] = give;
    await Promise.all([
      target.change({ remove: others, give: [] }),
      target.change({ remove: [], give: [{ ...read, member: 'emil' }] }),
      target.change({ remove: ana === undefined ? [] : [ana], give: [] }),
    ]);
    expect((await target.read()).map(describeMembership)).toEqual([`${read.right} of emil`]);
  });

  test('that others change all the time are not written, and that is told', async () => {
    await target.change({ remove: [], give: [read] });
    const busy: Environments = {
      locate: async (environment) => {
        const cluster = await site.environments.locate(environment);
        const ref = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' };
        const name = `holdfast-access-${rights[0]}`;
        let edits = 0;
        const call: typeof cluster.api.call = async (asked) => {
          if (asked.method === 'PATCH' || asked.method === 'DELETE') {
            edits += 1;
            const labels = { edit: String(edits) };
            await site.edit({ ...ref, name }, (live) => ({
              ...live,
              metadata: { ...live.metadata, labels: { ...live.metadata.labels, ...labels } },
            }));
          }
          return cluster.api.call(asked);
        };
        return { ...cluster, api: { ...cluster.api, call } };
      },
    };
    const conflict = { type: 'ACCESS_TARGET_DIFFERS', nonRetryable: false };
    const bob = { ...read, member: users[1] };
    const add = targetIn(busy).change({ remove: [], give: [bob] });
    await expect(add).rejects.toMatchObject(conflict);
    const end = targetIn(busy).change({ remove: [read], give: [] });
    await expect(end).rejects.toMatchObject(conflict);
    expect((await target.read()).map(({ member }) => member)).toEqual([read.member]);
  });
});
