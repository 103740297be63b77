import { describe, expect, test } from '@jest/globals';
import { renderPlan } from '../../../client/cli/render-plan.ts';
import { renderProof } from '../../../client/cli/render-proof.ts';

const canvas = { widthChars: 100, colour: false };
const hash = (digit: string) => `sha256:${digit.repeat(64)}`;

describe('the proof table', () => {
  test('shows object, both hashes and verdict, and what is not compared with the reason', () => {
    const drawn = renderProof(
      {
        direction: 'back',
        rows: [
          {
            object: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
            hashBefore: hash('a'),
            hashAfter: hash('a'),
            verdict: 'exact',
            fields: [],
          },
          {
            object: { apiVersion: 'v1', kind: 'ConfigMap', name: 'shop' },
            hashBefore: 'absent',
            hashAfter: 'absent',
            verdict: 'exact',
            fields: [],
          },
        ],
        ignored: [{ path: '/metadata/resourceVersion', reason: 'the server counts writes' }],
      },
      canvas,
    );
    expect(drawn).toBe(
      [
        'proof: everything is as before (2 of 2 objects exact)',
        'object           before        after         verdict',
        'Deployment/shop  aaaaaaaaaaaa  aaaaaaaaaaaa  exact',
        'ConfigMap/shop   absent        absent        exact',
        'not compared:',
        '  /metadata/resourceVersion  the server counts writes',
      ].join('\n'),
    );
  });

  test('one object that is not exact makes the title say so and names its fields', () => {
    const drawn = renderProof(
      {
        direction: 'back',
        rows: [
          {
            object: { apiVersion: 'v1', kind: 'Service', name: 'shop' },
            hashBefore: hash('a'),
            hashAfter: hash('b'),
            verdict: 'foreign-change-preserved',
            fields: ['/spec/ports/0/port'],
          },
        ],
        ignored: [],
      },
      canvas,
    );
    expect(drawn).toContain('proof: not exact (0 of 1 objects exact)');
    expect(drawn).toContain('foreign change preserved');
    expect(drawn).toContain('  Service/shop /spec/ports/0/port');
  });
});

describe('the plan', () => {
  test('shows each field with both values, and that nothing was touched', () => {
    const drawn = renderPlan(
      {
        planDigest: hash('c'),
        changes: [
          {
            step: 'patch Deployment/shop',
            object: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
            action: 'patch',
            fields: [
              { path: '/spec/template/spec/containers/0/image', before: 'shop:1', after: 'shop:2' },
              { path: '/metadata/labels/team', before: 'red', after: '' },
            ],
          },
          {
            step: 'keep Service/shop',
            object: { apiVersion: 'v1', kind: 'Service', name: 'shop' },
            action: 'keep',
            fields: [],
          },
        ],
        warnings: ['nothing is removed on adoption'],
        images: [{ container: 'shop', image: 'shop:2' }],
      },
      canvas,
    );
    expect(drawn.split('\n')).toEqual([
      '1 changes, 1 objects stay as they are  nothing was touched',
      'patch    Deployment/shop',
      '  /spec/template/spec/containers/0/image  shop:1 → shop:2',
      '  /metadata/labels/team  red → (removed)',
      'keep     Service/shop',
      'image shop: shop:2',
      'note: nothing is removed on adoption',
      `plan ${hash('c')}`,
    ]);
  });
});
