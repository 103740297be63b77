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

/** The figures in the text format of Prometheus, of all releases that ever ended. */
export const deliveryMetricsText = (releases: readonly EndedRelease[]): string => {
  const places = [...Map.groupBy(releases, labelsOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = [
    ...headOf(
      'holdfast_releases_total',
      'Releases that touched something, by how they ended.',
      'counter',
    ),
    ...places.flatMap(([labels, ended]) =>
      endings.map((ending) => {
        const count = ended.filter((release) => release.ending === ending).length;
        return `holdfast_releases_total{${labels},ending="${ending}"} ${count}`;
      }),
    ),
    ...histograms.flatMap((histogram) => [
      ...headOf(histogram.name, histogram.help, 'histogram'),
      ...places.flatMap(([labels, ended]) => histogramLines(histogram, labels, ended)),
    ]),
  ];
  return `${lines.join('\n')}\n`;
};

const headOf = (name: string, help: string, type: string): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
];

/** Both are DNS labels, in which nothing needs to be escaped. */
const labelsOf = ({ service, environment }: EndedRelease): string =>
  `service="${service}",environment="${environment}"`;

const histogramLines = (
  { name, buckets, valueMs }: Histogram,
  labels: string,
  releases: readonly EndedRelease[],
): string[] => {
  const seconds = releases.flatMap((release) => {
    const ms = valueMs(release);
    return ms === undefined ? [] : [ms / 1_000];
  });
  const below = (bound: number): number => seconds.filter((value) => value <= bound).length;
  return [
    ...buckets.map((bound) => `${name}_bucket{${labels},le="${bound}"} ${below(bound)}`),
    `${name}_bucket{${labels},le="+Inf"} ${seconds.length}`,
    `${name}_sum{${labels}} ${seconds.reduce((sum, value) => sum + value, 0)}`,
    `${name}_count{${labels}} ${seconds.length}`,
  ];
};
