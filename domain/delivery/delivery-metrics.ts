import type { EndedRelease } from './ended-release.ts';

const endings = ['deployed', 'failed', 'aborted'] as const;

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** The classes into which teams are sorted by these figures end at an hour, a day, a week, a month. */
const leadTimeBuckets = [10 * minute, hour, 4 * hour, day, 7 * day, 30 * day];
const restoreBuckets = [10, 30, minute, 5 * minute, 30 * minute, hour, day];

interface Histogram {
  name: string;
  help: string;
  buckets: readonly number[];
  valueMs: (release: EndedRelease) => number | undefined;
}

const histograms: readonly Histogram[] = [
  {
    name: 'holdfast_release_lead_time_seconds',
    help: 'From the commit until the new version served everyone.',
    buckets: leadTimeBuckets,
    valueMs: ({ leadTimeMs }) => leadTimeMs,
  },
  {
    name: 'holdfast_release_restore_seconds',
    help: 'From the first bad sample of a release that was put back until the proof.',
    buckets: restoreBuckets,
    valueMs: ({ restoreMs }) => restoreMs,
  },
];

/** Every series with its value. Figures of different releases can be added up. */
export type ReleaseFigures = Readonly<Record<string, number>>;

interface Family {
  name: string;
  help: string;
  type: 'counter' | 'histogram';
  seriesOf: (labels: string, releases: readonly EndedRelease[]) => [string, number][];
}

const families: readonly Family[] = [
  {
    name: 'holdfast_releases_total',
    help: 'Releases that touched something, by how they ended.',
    type: 'counter',
    seriesOf: (labels, releases) =>
      endings.map((ending) => [
        `holdfast_releases_total{${labels},ending="${ending}"}`,
        releases.filter((release) => release.ending === ending).length,
      ]),
  },
  ...histograms.map((histogram): Family => ({
    name: histogram.name,
    help: histogram.help,
    type: 'histogram',
    seriesOf: (labels, releases) => histogramSeries(histogram, labels, releases),
  })),
];

/** What these releases add to the figures. */
export const releaseFigures = (releases: readonly EndedRelease[]): ReleaseFigures => {
  const places = [...Map.groupBy(releases, labelsOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    families.flatMap(({ seriesOf }) =>
      places.flatMap(([labels, ended]) => seriesOf(labels, ended)),
    ),
  );
};

export const addedFigures = (figures: ReleaseFigures, more: ReleaseFigures): ReleaseFigures => {
  const names = new Set([...Object.keys(figures), ...Object.keys(more)]);
  return Object.fromEntries(
    [...names].map((series) => [series, (figures[series] ?? 0) + (more[series] ?? 0)]),
  );
};

/** The figures in the text format of Prometheus. */
export const deliveryMetricsText = (figures: ReleaseFigures): string => {
  const lines = families.flatMap(({ name, help, type }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    // No name of a family begins with that of another.
    ...Object.entries(figures)
      .filter(([series]) => series.startsWith(name))
      .map(([series, value]) => `${series} ${value}`),
  ]);
  return `${lines.join('\n')}\n`;
};

/** Both are DNS labels, in which nothing needs to be escaped. */
const labelsOf = ({ service, environment }: EndedRelease): string =>
  `service="${service}",environment="${environment}"`;

const histogramSeries = (
  { name, buckets, valueMs }: Histogram,
  labels: string,
  releases: readonly EndedRelease[],
): [string, number][] => {
  const seconds = releases.flatMap((release) => {
    const ms = valueMs(release);
    return ms === undefined ? [] : [ms / 1_000];
  });
  const below = (bound: number): number => seconds.filter((value) => value <= bound).length;
  return [
    ...buckets.map((bound): [string, number] => [
      `${name}_bucket{${labels},le="${bound}"}`,
      below(bound),
    ]),
    [`${name}_bucket{${labels},le="+Inf"}`, seconds.length],
    [`${name}_sum{${labels}}`, seconds.reduce((sum, value) => sum + value, 0)],
    [`${name}_count{${labels}}`, seconds.length],
  ];
};
