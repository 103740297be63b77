import { describe, expect, test } from '@jest/globals';
import { renderReport } from '../../../client/cli/report/render-report.ts';
import type { ReleaseReport } from '../../../client/cli/report/release-report.ts';
import { asked, result } from './known-releases.ts';
import { putBack, report } from './known-report.ts';

const page = (changes: Partial<ReleaseReport> = {}): string => renderReport(report(changes));

const factsWith = (changes: Partial<ReleaseReport['facts']>): Partial<ReleaseReport> => ({
  facts: { ...report().facts, ...changes },
});

/** Elements of a page in order; fails where one is not closed by its own end. */
const elementsOf = (html: string): string[] => {
  const open: string[] = [];
  const all: string[] = [];
  for (const [, end, name = ''] of html.matchAll(/<(\/?)([a-zA-Z][\w-]*)(?:\s[^<>]*)?>/g)) {
    if (end === '/') {
      expect(open.pop()).toBe(name);
      continue;
    }
    all.push(name);
    if (name !== 'meta') open.push(name);
  }
  expect(open).toEqual([]);
  return all;
};

describe('the report of a release', () => {
  test('tells how it ended, who wanted it, and everything else in one file', () => {
    const html = page();
    for (const text of [
      'shop 2.4.1 → production',
      'put back, exactly as before',
      'BAKE_FAILED',
      'ana@example.com: summer catalogue',
      'canary by HTTPRoute shop: 10 % for 10m, 50 % for 10m, 100 %',
      'Share of the new version',
      '2.4.1 (new), p99',
      'limit 1.00 %',
      'all traffic goes to shop',
      '2 of 2 objects are exactly as before.',
      'counts every write',
      'unwind: done, restored-exactly',
    ]) {
      expect(html).toContain(text);
    }
    expect(html).toContain('href="http://127.0.0.1:8233/namespaces/default/workflows/x"');
    expect(elementsOf(html).filter((name) => name === 'figure')).toHaveLength(3);
  });

  test('needs nothing from outside and runs nothing', () => {
    const html = page();
    expect(elementsOf(html)).not.toContain('script');
    expect(html).not.toMatch(/<link|<img|<iframe|@import|url\(/);
    expect([...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url)).toEqual([
      'http://127.0.0.1:8233/namespaces/default/workflows/x',
    ]);
    expect(html).toContain(
      `content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"`,
    );
  });

  test('a script in any text that users or servers write stays text', () => {
    const script = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`;
    const [gate] = result.gates;
    const [row] = result.proof.rows;
    if (gate === undefined || row === undefined) throw new Error('the known result is empty');
    const evil = {
      ...asked,
      actor: script,
      reason: script,
    };
    const html = page({
      ...factsWith({
        name: { service: script, environment: script, release: script },
        workflowId: script,
        identities: [evil, { ...evil, action: 'approve' }],
        result: {
          ...putBack,
          failedStep: script,
          failure: { code: script, message: script, next: script },
          gates: [{ ...gate, name: script, note: script }],
          compensations: [{ step: script, outcome: 'failed', note: script }],
          proof: {
            ...putBack.proof,
            rows: [{ ...row, hashAfter: script, fields: [script] }],
            ignored: [{ path: script, reason: script }],
          },
          evidence: {
            ...putBack.evidence,
            samples: putBack.evidence.samples?.map((sample) => ({
              ...sample,
              versions: sample.versions.map((one) => ({ ...one, version: one.version + script })),
            })),
          },
        },
      }),
      timeline: [{ atMs: 1, what: script }],
      url: `javascript:alert(3)//${script}`,
    });
    const elements = elementsOf(html);
    expect(elements).not.toContain('script');
    expect(elements).not.toContain('img');
    expect(elements).not.toContain('a');
    // Outside of quotes nothing may look like a handler; text cannot leave its quotes.
    expect(html.replaceAll(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*\son\w+\s*=/);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  test('no data is told with its reason, and no chart is invented', () => {
    const gates = [
      {
        name: 'bake',
        verdict: 'not-measured' as const,
        note: 'staging carries no traffic',
        samples: 0,
        failures: 0,
      },
    ];
    const html = page({
      ...factsWith({ result: { ...result, gates } }),
      timeline: [],
    });
    expect(elementsOf(html)).not.toContain('figure');
    expect(html).toContain('No traffic was counted: staging carries no traffic.');
    expect(html).not.toContain('Way back');
  });

  test('a refused release has no proof and says why it ended', () => {
    const html = page({
      ...factsWith({
        executionStatus: 'FAILED',
        result: null,
        progress: null,
        refusal: { code: 'NAMESPACE_MISSING', message: 'no namespace', next: 'Create it.' },
      }),
      timeline: null,
      url: null,
    });
    expect(html).toContain('refused, nothing was touched');
    expect(html).toContain('NAMESPACE_MISSING');
    expect(html).toContain('There is no proof: nothing was touched.');
    expect(html).toContain('No worker answered, so what happened when is not in this report.');
    elementsOf(html);
  });

  test('is the same page for the same facts', () => {
    expect(page()).toBe(page());
  });
});
