import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { chapters, deviations, type ChapterRecord } from '../../../client/cli/demo-chapters.ts';
import { withPace, withRepository } from '../../../client/cli/demo-request.ts';
import { readDeployRequest } from '../../../client/cli/deploy-request.ts';
import { localClusterOf } from '../../../client/cli/load-images.ts';
import { emptyCounts } from '../../../client/cli/traffic-counts.ts';

const examples = path.resolve(import.meta.dirname, '../../../docs/examples/shop');
const requestOf = async (version: string) =>
  readDeployRequest(
    { stdin: process.stdin },
    { file: path.join(examples, version, 'holdfast.yaml') },
  );

describe('the requests of the story', () => {
  test.each(chapters)('$version is an example that can be read', async ({ version }) => {
    const request = await requestOf(version);
    expect(request.service).toBe('shop');
    expect(JSON.stringify(request.manifests)).toContain(`localhost/shop:${version.slice(1)}`);
  });

  test('the pace shortens waits and, of the version that is never ready, its deadline', async () => {
    const request = await requestOf('v3a');
    const paced = withPace(request, { hasShortDeadline: true });
    expect(paced.bake?.forMs).toBeLessThan(request.bake?.forMs ?? 0);
    const deadlines = [request, paced].map(({ manifests }) => {
      const deployment = manifests.find(({ kind }) => kind === 'Deployment');
      return (deployment?.['spec'] as { progressDeadlineSeconds: number }).progressDeadlineSeconds;
    });
    expect(deadlines[1]).toBeLessThan(deadlines[0] ?? 0);
    expect(withPace(request, { hasShortDeadline: false }).manifests).toEqual(request.manifests);
  });

  test('another repository keeps the tag, which is the version, and nothing else changes', async () => {
    const { manifests } = await requestOf('v2');
    const moved = withRepository(manifests, 'registry.internal/team/shop');
    const text = JSON.stringify(moved);
    expect(text).toContain('"registry.internal/team/shop:2"');
    expect(text).not.toContain('localhost/shop');
    expect(withRepository(moved, undefined)).toEqual(moved);
  });

  test('clusters of kind and k3d are recognised by their context, others are not', () => {
    const loadOf = (context: string) => {
      const cluster = localClusterOf(context);
      return cluster === undefined ? null : [cluster.tool, ...cluster.loadArguments('a.tar')];
    };
    expect(loadOf('kind-dev')).toEqual(['kind', 'load', 'image-archive', 'a.tar', '--name', 'dev']);
    expect(loadOf('k3d-dev')).toEqual(['k3d', 'image', 'import', 'a.tar', '--cluster', 'dev']);
    expect(loadOf('production')).toBeNull();
  });
});

describe('the judgement of a chapter', () => {
  const [, second, , last] = chapters;
  const record = (changes: {
    chapter: ChapterRecord['chapter'] | undefined;
    outcome?: ChapterRecord['result']['outcome'];
    verdict?: 'exact' | 'differs';
    failed?: number;
    sent?: number;
  }): ChapterRecord => {
    if (changes.chapter === undefined) throw new Error('there is no such chapter');
    const row = {
      object: { apiVersion: 'v1', kind: 'Service', name: 'shop' },
      hashBefore: 'a',
      hashAfter: 'a',
      verdict: changes.verdict ?? 'exact',
      fields: [],
    };
    return {
      chapter: changes.chapter,
      result: {
        outcome: changes.outcome ?? changes.chapter.outcome,
        release: '1',
        epoch: 1,
        planDigest: '',
        compensations: [],
        gates: [],
        proof: { direction: 'forward', rows: [row], ignored: [] },
        evidence: { identities: [] },
      },
      traffic: {
        ...emptyCounts(0),
        endedAtMs: 10_000,
        sent: changes.sent ?? 2_300,
        failed: changes.failed ?? 0,
      },
      isProven: null,
      elapsedMs: 1,
      url: undefined,
    };
  };

  test('a chapter that went as told has no deviation', () => {
    expect(deviations(record({ chapter: second }))).toEqual([]);
    expect(deviations(record({ chapter: last, failed: 7 }))).toEqual([]);
  });

  test.each([
    {
      what: 'another outcome',
      changes: { outcome: 'restored-exactly' as const },
      says: 'it ended',
    },
    {
      what: 'a proof that is not exact',
      changes: { verdict: 'differs' as const },
      says: 'not exact',
    },
    { what: 'a failed request', changes: { failed: 1 }, says: '1 requests failed' },
    { what: 'too few requests', changes: { sent: 1_999 }, says: 'only 199 requests/s' },
  ])('$what is one', ({ changes, says }) => {
    expect(deviations(record({ chapter: second, ...changes })).join()).toContain(says);
  });

  test('a bad version that no request ever met proves nothing', () => {
    expect(deviations(record({ chapter: last, failed: 0 })).join()).toContain('never seen');
  });

  test('a proof without objects is none', () => {
    const empty = record({ chapter: second });
    empty.result.proof.rows = [];
    expect(deviations(empty)).toEqual(['the proof is empty']);
  });
});
