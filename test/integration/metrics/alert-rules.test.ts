import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createPrometheusAlertRules } from '../../../activities/metrics/index.ts';
import type { AlertRules } from '../../../activities/metrics/port.ts';
import type { EnvironmentsFile } from '../../../contracts/shared/environments-file.ts';
import { sandboxDown, startPrometheus } from '../../../sandbox/index.ts';
import { describeAlertRules } from '../../conformance/alert-rules.ts';
import { createInMemoryAlertRules } from '../../fakes/in-memory-alert-rules.ts';
import { closedAddress } from '../traffic/http-target.ts';

// The first machine to run this builds Prometheus.
jest.setTimeout(20 * 60_000);

let directory: string;
let rulesDirectory: string;
let url: string;
let rules: AlertRules;

const environmentsWith = (prometheusUrl: string, rulesIn: string): EnvironmentsFile => {
  const place = { context: 'c', namespace: 'n', traffic: 'none' } as const;
  const prometheus = { url: prometheusUrl, rulesDirectory: rulesIn };
  return {
    environments: {
      production: { ...place, metrics: { prometheus } },
      attic: { ...place, metrics: { prometheus: { url: prometheusUrl } } },
      cellar: {
        ...place,
        metrics: { prometheus: { url: prometheusUrl, rulesDirectory: '/nowhere/rules' } },
      },
    },
  };
};

const places = { environment: 'production', withoutDirectory: 'attic' };

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-alerts-'));
  const prometheus = await startPrometheus({
    stateDirectory: path.join(directory, 'sandbox'),
    scrapes: [],
    scrapeEveryMs: 100,
    onProgress: () => undefined,
  });
  ({ url, rulesDirectory } = prometheus);
  const environments = environmentsWith(url, rulesDirectory);
  rules = createPrometheusAlertRules({ environments, directory });
});

afterAll(async () => {
  await sandboxDown(path.join(directory, 'sandbox'));
  await rm(directory, { recursive: true });
});

const fileOf = (service: string): string =>
  path.join(rulesDirectory, `holdfast.production.${service}.yaml`);

const readOrNull = (file: string): string | null => {
  const isThere = readdirSync(path.dirname(file)).includes(path.basename(file));
  return isThere ? readFileSync(file, 'utf8') : null;
};

describeAlertRules('Prometheus', () =>
  Promise.resolve({
    rules,
    ...places,
    read: (service) => readOrNull(fileOf(service)),
    edit: (service, text) => {
      writeFileSync(fileOf(service), text);
    },
  }),
);

describeAlertRules('memory', () => {
  const { alertRules, knobs } = createInMemoryAlertRules(environmentsWith('http://m', '/rules'));
  const keyOf = (service: string): string => `production/${service}`;
  return Promise.resolve({
    rules: alertRules,
    ...places,
    read: (service) => knobs.files.get(keyOf(service)) ?? null,
    edit: (service, text) => void knobs.files.set(keyOf(service), text),
  });
});

const alert = { name: 'Down', expr: 'vector(1)', forMs: 0, labels: {}, annotations: {} };
const step = {
  environment: 'production',
  service: 'cart',
  release: '7',
  alerts: [alert],
  before: null,
  epoch: 1,
};

interface ShownAlerts {
  data: { alerts: { labels: Record<string, string>; state: string }[] };
}

const firing = async (): Promise<Record<string, string>[]> => {
  const answer = (await (await fetch(`${url}/api/v1/alerts`)).json()) as ShownAlerts;
  return answer.data.alerts
    .filter(({ state, labels }) => state === 'firing' && labels['service'] === 'cart')
    .map(({ labels }) => labels);
};

describe('what a real Prometheus shows', () => {
  test('the alert that proves fires beside the others, and is gone afterwards', async () => {
    const deadlineMs = 20_000;
    await rules.write({ ...step, state: 'probed' });
    await rules.awaitLoaded({ ...step, state: 'probed', deadlineMs });
    const during = (await firing()).map(({ alertname }) => alertname).toSorted();
    await rules.write({ ...step, state: 'wanted' });
    await rules.awaitLoaded({ ...step, state: 'wanted', deadlineMs });
    expect(during).toEqual(['Down', 'HoldfastProbe']);
    const names = { alertname: 'Down', service: 'cart', environment: 'production', release: '7' };
    expect(await firing()).toEqual([names]);
    expect(readdirSync(rulesDirectory).filter((name) => name.includes('new'))).toEqual([]);
  });

  test('a broken rule file of someone else: ours counts as not loaded, and the next is refused', async () => {
    const broken = path.join(rulesDirectory, 'theirs.yaml');
    writeFileSync(broken, 'groups: [{ name: x, rules: [{ alert: A, expr: "sum(" }] }]');
    const request = { ...step, service: 'till' };
    const failed = rules.write({ ...request, state: 'wanted' });
    await expect(failed).rejects.toMatchObject({ type: 'ALERTS_REFUSED' });
    await expect(rules.check({ ...step, adopt: false })).rejects.toMatchObject({
      type: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('its own files'),
    });
    await rm(broken);
    await rules.putBack({ ...request, epoch: 2 });
    expect(readOrNull(fileOf('till'))).toBeNull();
  });

  test('an attempt that died before Prometheus read the file is finished by the next one', async () => {
    const request = { ...step, service: 'depot' };
    const environments = environmentsWith(await closedAddress(), rulesDirectory);
    const cutOff = createPrometheusAlertRules({ environments, directory });
    const leftover = path.join(rulesDirectory, '.holdfast-new.of-a-killed-process');
    writeFileSync(leftover, 'half a file');
    utimesSync(leftover, 0, 0);
    const died = cutOff.write({ ...request, state: 'wanted' });
    await expect(died).rejects.toMatchObject({ type: 'METRICS_UNAVAILABLE' });
    const written = readOrNull(fileOf('depot'));
    expect(written).not.toBeNull();
    await rules.write({ ...request, state: 'wanted' });
    await rules.awaitLoaded({ ...request, state: 'wanted', deadlineMs: 20_000 });
    expect(readOrNull(fileOf('depot'))).toBe(written);
    expect(readOrNull(leftover)).toBeNull();
  });

  test('a directory that is not there is refused before anything is written', async () => {
    const request = { ...step, environment: 'cellar', adopt: false };
    await expect(rules.check(request)).rejects.toMatchObject({
      type: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('/nowhere/rules'),
    });
  });
});
