import { describe, expect, test } from '@jest/globals';
import { imageChanges, summaryText } from '../../../domain/delivery/release-summary.ts';
import type { ReleaseSummary } from '../../../domain/delivery/release-summary.ts';

const names = { service: 'shop', release: '2.4.1', environment: 'production' };

const deployed: ReleaseSummary = {
  outcome: 'deployed',
  durationMs: 1_925_000,
  images: [{ container: 'shop', before: 'shop:2.4.0', after: 'shop:2.4.1' }],
  objects: 3,
  gates: [
    { name: 'smoke', verdict: 'pass', samples: 2, failures: 0 },
    { name: 'bake', verdict: 'not-measured', samples: 0, failures: 0 },
  ],
  requestedBy: { actor: 'ana@example.com', reason: 'summer catalogue' },
  approvedBy: [{ actor: 'bo@example.com', reason: 'looks good' }],
  command: 'holdfast deploy report shop -e production --release 2.4.1',
};

describe('the summary of a release', () => {
  test('says what happened, how long it took, who decided, what changed and what was seen', () => {
    expect(summaryText(names, deployed).split('\n')).toEqual([
      'shop 2.4.1 is live in production.',
      'It took 32 min 5 s. ana@example.com asked for it (summer catalogue); bo@example.com approved it (looks good).',
      'What changed: shop from shop:2.4.0 to shop:2.4.1, 3 objects in all.',
      'Checks: smoke passed (2 measured, 0 bad); bake was not measured.',
      'All details: holdfast deploy report shop -e production --release 2.4.1',
    ]);
  });

  test('says why it was taken back, and that everything is as it was', () => {
    const why = 'The new version answered 5 of 100 requests with errors.';
    const back = { ...deployed, outcome: 'restored-exactly' as const, why, approvedBy: [] };
    const lines = summaryText(names, back).split('\n');
    expect(lines.slice(0, 2)).toEqual([
      'shop 2.4.1 was taken back in production; the version before runs again, exactly as it was.',
      `Why: ${why}`,
    ]);
    expect(lines[2]).toContain('no approval was needed');
    expect(lines[3]).toMatch(/^What would have changed: /);
  });

  test('does not hide that something is not as it was', () => {
    const text = summaryText(names, { ...deployed, outcome: 'restored-with-exceptions' });
    expect(text).toContain('someone has to look at it');
  });

  test.each([
    [400, '1 s'],
    [59_000, '59 s'],
    [3_600_000, '1 h'],
    [3_720_000, '1 h 2 min'],
    [90_000_000, '1 d 1 h'],
  ])('%i ms are %s', (durationMs, text) => {
    expect(summaryText(names, { ...deployed, durationMs })).toContain(`It took ${text}.`);
  });
});

describe('images that change', () => {
  const path = '/spec/template/spec/containers/0/image';
  const images = [
    { container: 'shop', image: 'shop:2' },
    { container: 'sidecar', image: 'proxy:1' },
  ];

  test('are those that the plan replaces', () => {
    const fields = [
      { path: '/spec/replicas', before: '1', after: '2' },
      { path, before: 'shop:1', after: 'shop:2' },
    ];
    expect(imageChanges([{ fields }], images)).toEqual([
      { container: 'shop', before: 'shop:1', after: 'shop:2' },
    ]);
  });

  test('are found where the plan shows a long one cut off', () => {
    const long = `registry.example.com/${'a'.repeat(90)}`;
    const fields = [{ path, before: 'absent', after: `${long.slice(0, 79)}…` }];
    expect(imageChanges([{ fields }], [{ container: 'shop', image: long }])).toEqual([
      { container: 'shop', before: '', after: long },
    ]);
  });
});
