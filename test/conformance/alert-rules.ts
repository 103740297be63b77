import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AlertRules, AlertsStep } from '../../activities/metrics/port.ts';
import type { Alert } from '../../domain/delivery/alert-rules.ts';

/** Rule files of one environment, and how someone else sees and changes them. */
export interface AlertRulesSite {
  rules: AlertRules;
  environment: string;
  /** An environment with metrics and no rules directory. */
  withoutDirectory: string;
  read(service: string): string | null;
  edit(service: string, text: string): void;
}

const errors: Alert = {
  name: 'ShopErrors',
  expr: 'sum(rate(errors_total{service="$service"}[1m])) > 5',
  forMs: 30_000,
  labels: { severity: 'page' },
  annotations: { summary: '$service $release fails {{ $value }} times a second' },
};

const deadlineMs = 20_000;

/** The promises of `AlertRules`, whatever evaluates them. */
export const describeAlertRules = (name: string, openSite: () => Promise<AlertRulesSite>): void => {
  describe(`alert rules of ${name}`, () => {
    let site: AlertRulesSite;
    let serial = 0;
    let step: AlertsStep;

    beforeAll(async () => {
      site = await openSite();
    });

    /** A service of its own for each test. */
    beforeEach(() => {
      serial += 1;
      const { environment } = site;
      const service = `shop-${String(serial)}`;
      step = { environment, service, release: '2', alerts: [errors], before: null, epoch: 4 };
    });

    const setUp = async (wanted: AlertsStep): Promise<string | null> => {
      await site.rules.write({ ...wanted, state: 'probed' });
      await site.rules.awaitLoaded({ ...wanted, state: 'probed', deadlineMs });
      await site.rules.write({ ...wanted, state: 'wanted' });
      return (await site.rules.awaitLoaded({ ...wanted, state: 'wanted', deadlineMs })).group;
    };
    const check = async (alerts: Alert[]): ReturnType<AlertRules['check']> =>
      site.rules.check({ ...step, alerts, adopt: false });

    test('good alerts have no problem', async () => {
      expect(await check([errors])).toEqual([]);
    });

    test.each([
      ['PromQL that is none', 'sum('],
      ['samples over time', 'errors_total[5m]'],
      ['a name that nobody fills in', 'errors{version="$version"} > 0'],
    ])('%s is a problem of its field', async (_what, expr) => {
      const [problem, ...more] = await check([errors, { ...errors, name: 'Other', expr }]);
      expect(problem).toMatchObject({ field: 'alerts[1].expr', reason: expect.any(String) });
      expect(more).toEqual([]);
    });

    test('more text than a rule file may have is a problem', async () => {
      const long = { summary: 'ä'.repeat(1_000) };
      const many = Array.from({ length: 9 }, (_, index) => ({
        ...errors,
        name: `Alert${String(index)}`,
        annotations: long,
      }));
      expect(await check(many)).toEqual([
        { field: 'alerts', reason: expect.stringContaining('bytes') },
      ]);
    });

    test('without a rules directory nothing can be set up', async () => {
      const request = { ...step, environment: site.withoutDirectory, adopt: false };
      await expect(site.rules.check(request)).rejects.toMatchObject({
        type: 'CONFIGURATION_INVALID',
      });
    });

    test('alerts are loaded and fire, and carry the names of the release', async () => {
      const group = await setUp(step);
      expect(group).toMatch(new RegExp(`^holdfast/${step.environment}/${step.service}@[0-9a-f]+$`));
      const text = site.read(step.service) ?? '';
      expect(text).toContain(`errors_total{service=\\"${step.service}\\"}`);
      expect(text).toContain(`${step.service} 2 fails {{ $value }} times a second`);
      expect(text).not.toContain('HoldfastProbe');
    });

    test('nothing was written: it does not pass as loaded', async () => {
      const early = { ...step, state: 'wanted' as const, deadlineMs: 300 };
      await expect(site.rules.awaitLoaded(early)).rejects.toMatchObject({
        type: 'ALERTS_UNPROVEN',
      });
    });

    test('the first ones go without a trace, also when they are put back twice', async () => {
      await setUp(step);
      const back = { ...step, epoch: 5 };
      expect(await site.rules.putBack(back)).toMatchObject({ outcome: 'reverted' });
      await site.rules.awaitLoaded({ ...back, state: 'before', deadlineMs });
      expect(site.read(step.service)).toBeNull();
      expect(await site.rules.putBack(back)).toMatchObject({ outcome: 'nothing-to-undo' });
    });

    test('those of the version before come back byte by byte', async () => {
      await setUp(step);
      const { text: before } = await site.rules.capture({ ...step, adopt: false });
      const alerts = [{ ...errors, expr: 'absent(up)' }];
      const next = { ...step, release: '3', alerts, before, epoch: 6 };
      await setUp(next);
      expect(site.read(step.service)).not.toBe(before);
      await site.rules.putBack({ ...next, epoch: 7 });
      const shown = await site.rules.awaitLoaded({
        ...{ ...next, epoch: 7 },
        state: 'before',
        deadlineMs,
      });
      expect(site.read(step.service)).toBe(before);
      expect(shown.group).toContain(`/${step.service}@`);
    });

    test('an empty list takes them away', async () => {
      await setUp(step);
      const { text: before } = await site.rules.capture({ ...step, adopt: false });
      const none = {
        ...step,
        release: '3',
        alerts: [],
        before,
        epoch: 6,
        state: 'wanted' as const,
      };
      await site.rules.write(none);
      expect(await site.rules.awaitLoaded({ ...none, deadlineMs })).toEqual({ group: null });
      expect(site.read(step.service)).toBeNull();
    });

    test('an attempt that was given up changes nothing any more', async () => {
      await site.rules.putBack({ ...step, epoch: 5 });
      const late = site.rules.write({ ...step, state: 'wanted' });
      await expect(late).rejects.toMatchObject({ type: 'FENCED' });
      expect(site.read(step.service)).toBeNull();
    });

    test('what someone else changed meanwhile is kept and flagged', async () => {
      await setUp(step);
      const edited = `${site.read(step.service) ?? ''}# ours now\n`;
      site.edit(step.service, edited);
      const forward = site.rules.write({ ...step, state: 'wanted' });
      await expect(forward).rejects.toMatchObject({ type: 'FOREIGN_CHANGE' });
      const back = await site.rules.putBack({ ...step, epoch: 5 });
      expect(back).toMatchObject({ outcome: 'foreign-change-preserved' });
      expect(site.read(step.service)).toBe(edited);
    });

    test('a file that someone else changed before is refused, and kept if it is adopted', async () => {
      await setUp(step);
      const edited = `${site.read(step.service) ?? ''}# ours now\n`;
      site.edit(step.service, edited);
      const next = { ...step, release: '3' };
      expect(await site.rules.check({ ...next, adopt: false })).toHaveLength(1);
      expect(await site.rules.check({ ...next, adopt: true })).toEqual([]);
      await expect(site.rules.capture({ ...step, adopt: false })).rejects.toMatchObject({
        type: 'FOREIGN_CHANGE',
      });
      expect(await site.rules.capture({ ...step, adopt: true })).toEqual({ text: edited });
    });

    test('a template that is none is refused, and everything can be put back', async () => {
      const annotations = { summary: '{{ $value' };
      const bad = { ...step, alerts: [{ ...errors, annotations }] };
      const written = site.rules.write({ ...bad, state: 'probed' });
      await expect(written).rejects.toMatchObject({ type: 'ALERTS_REFUSED' });
      expect(await site.rules.putBack({ ...bad, epoch: 5 })).toMatchObject({ outcome: 'reverted' });
      await site.rules.awaitLoaded({ ...bad, epoch: 5, state: 'before', deadlineMs });
      expect(site.read(step.service)).toBeNull();
    });
  });
};
