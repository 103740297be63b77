import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { AlertsInput } from '../../../contracts/delivery/alerts.ts';
import { ServiceDefinition } from '../../../contracts/delivery/service-definition.ts';
import {
  alertProblems,
  readRuleFile,
  ruleFileName,
  ruleFileOf,
  whyNotLoaded,
} from '../../../domain/delivery/alert-rules.ts';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

const alert = {
  name: 'Errors',
  expr: 'errors{service="$service"} > 5',
  forMs: 90_000,
  labels: { severity: 'page', release: 'someone else' },
  annotations: { summary: '$release: {{ $value }} errors, see {{ $labels.pod }}' },
};

const wanted = { environment: 'staging', service: 'shop', release: '2.4.1', alerts: [alert] };

const render = (probe = false) => ruleFileOf(wanted, { probe, hash });
const groupsOf = (text = ''): unknown => JSON.parse(text.split('\n').slice(1).join('\n'));

describe('a rule file', () => {
  test('has the names of the release filled in, and leaves those of Prometheus to it', () => {
    const file = render();
    expect(groupsOf(file?.text)).toEqual({
      groups: [
        {
          name: file?.group,
          rules: [
            {
              alert: 'Errors',
              expr: 'errors{service="shop"} > 5',
              for: '90000ms',
              labels: {
                severity: 'page',
                service: 'shop',
                environment: 'staging',
                release: '2.4.1',
              },
              annotations: { summary: '2.4.1: {{ $value }} errors, see {{ $labels.pod }}' },
            },
          ],
        },
      ],
    });
  });

  test('is the same for the same alerts, and its group is named by what it holds', () => {
    const other = ruleFileOf(
      { ...wanted, alerts: [{ ...alert, forMs: 1 }] },
      { probe: false, hash },
    );
    expect(render()).toEqual(render());
    expect(render()?.group).toMatch(/^holdfast\/staging\/shop@[0-9a-f]{12}$/);
    expect(other?.group).not.toBe(render()?.group);
  });

  test('keeps its group with the alert that proves, so that alerts keep their state', () => {
    expect(render(true)?.group).toBe(render()?.group);
    expect(render(true)?.names).toEqual(['Errors', 'HoldfastProbe']);
  });

  test('is not there without alerts', () => {
    expect(ruleFileOf({ ...wanted, alerts: [] }, { probe: true, hash })).toBeUndefined();
  });

  test('belongs to one service of one environment', () => {
    const one = ruleFileName({ environment: 'a', service: 'b-c' });
    expect(ruleFileName({ environment: 'a-b', service: 'c' })).not.toBe(one);
  });

  test.each([
    ['as it was written', (text: string) => text, true],
    ['with another threshold', (text: string) => text.replace('> 5', '> 9'), false],
    ['with a remark', (text: string) => `${text}# mine\n`, false],
    ['with another head', (text: string) => text.replace('# Written', '# written'), false],
    ['that is no JSON', () => 'groups: []\n', false],
    ['that is empty', () => '', false],
  ])('%s is told from one that someone else changed', (_what, change, isOurs) => {
    const text = change(render()?.text ?? '');
    expect(readRuleFile(text, wanted, hash) !== undefined).toBe(isOurs);
  });

  test('of another service is not taken as ours', () => {
    expect(
      readRuleFile(render()?.text ?? '', { ...wanted, service: 'cart' }, hash),
    ).toBeUndefined();
  });
});

describe('what Prometheus shows', () => {
  const file = render();
  const group = file?.group ?? '';
  const seen = (health: string, lastError?: string) => ({
    name: group,
    rules: [{ name: 'Errors', health, ...(lastError === undefined ? {} : { lastError }) }],
  });
  const why = (groups: ReturnType<typeof seen>[], healthy = true): string | undefined =>
    whyNotLoaded(groups, file, { owner: wanted, healthy });

  test('is loaded only with this content, these alerts, and each evaluated', () => {
    expect(why([seen('ok')])).toBeUndefined();
    expect(why([])).toContain('is not loaded');
    expect(why([{ ...seen('ok'), name: 'holdfast/staging/shop@old' }])).toContain('still loaded');
    expect(why([{ name: group, rules: [] }])).toContain('has the rules');
    expect(why([seen('unknown')])).toContain('was not evaluated yet');
    expect(why([seen('err', 'many-to-many')])).toContain('many-to-many');
    expect(why([seen('err')], false)).toBeUndefined();
  });

  test('of other services does not count', () => {
    const theirs = { ...seen('err'), name: 'holdfast/staging/shop-2@abc' };
    expect(why([seen('ok'), theirs])).toBeUndefined();
    expect(whyNotLoaded([theirs], undefined, { owner: wanted, healthy: true })).toBeUndefined();
  });
});

test('a name that nobody fills in is a problem of its field', () => {
  const bad = { ...wanted, alerts: [alert, { ...alert, expr: 'up{version="$version"}' }] };
  expect(alertProblems(bad, hash)).toEqual([
    { field: 'alerts[1].expr', reason: 'nobody fills in $version' },
  ]);
});

describe('alerts of an input', () => {
  test.each([
    ['two of the same name', [alert, alert]],
    ['the name of the alert that proves', [{ ...alert, name: 'HoldfastProbe' }]],
    ['a label that Prometheus sets', [{ ...alert, labels: { alertname: 'x' } }]],
    ['a line break', [{ ...alert, annotations: { summary: 'a\nb' } }]],
    ['no expression', [{ ...alert, expr: '' }]],
  ])('with %s are refused', (_what, alerts) => {
    expect(AlertsInput.safeParse(alerts).success).toBe(false);
    expect(AlertsInput.safeParse([alert]).success).toBe(true);
  });

  test('are written in a file with a length of time', () => {
    const definition = {
      service: 'shop',
      environment: 'staging',
      manifests: ['a.yaml'],
      alerts: [{ name: 'Errors', expr: 'up == 0', for: '2m' }],
    };
    expect(ServiceDefinition.parse(definition).alerts).toEqual([
      { name: 'Errors', expr: 'up == 0', forMs: 120_000, labels: {}, annotations: {} },
    ]);
  });
});
