/** What stakeholders are told when a release is over; each fact as data, beside the text. */
export interface ReleaseSummary {
  outcome: 'deployed' | 'restored-exactly' | 'restored-with-exceptions';
  durationMs: number;
  /** By container; `before` is empty where there was none. */
  images: { container: string; before: string; after: string }[];
  /** Objects that the plan changed. */
  objects: number;
  gates: { name: string; verdict: string; samples: number; failures: number }[];
  requestedBy: { actor: string; reason: string };
  approvedBy: { actor: string; reason: string }[];
  /** Why it was put back. */
  why?: string;
  /** Where everything that is known can be read. */
  command: string;
}

interface Change {
  fields: readonly { path: string; before: string; after: string }[];
}

const imageField = /^\/spec\/template\/spec\/(?:init)?containers\/.*\/image$/i;

/** Which images of containers the plan replaces. */
export const imageChanges = (
  changes: readonly Change[],
  images: readonly { container: string; image: string }[],
): ReleaseSummary['images'] => {
  const fields = changes.flatMap((change) => change.fields);
  const replaced = fields.filter(({ path }) => imageField.test(path));
  return images.flatMap(({ container, image }) => {
    const field = replaced.find(({ after }) => isShownAs(image, after));
    if (field === undefined) return [];
    return [{ container, before: field.before === 'absent' ? '' : field.before, after: image }];
  });
};

/** A plan shows long values cut off. */
const isShownAs = (value: string, shown: string): boolean =>
  shown.endsWith('…') ? value.startsWith(shown.slice(0, -1)) : value === shown;

/** Names a release for a reader. */
interface ReleaseNames {
  service: string;
  release: string;
  environment: string;
}

/** Lines that a person reads who never operated anything. */
export const summaryText = (names: ReleaseNames, summary: ReleaseSummary): string =>
  [
    headline(names, summary),
    ...(summary.why === undefined ? [] : [`Why: ${summary.why}`]),
    `It took ${durationText(summary.durationMs)}. ${peopleText(summary)}`,
    changesText(summary),
    ...(summary.gates.length === 0 ? [] : [`Checks: ${summary.gates.map(gateText).join('; ')}.`]),
    `All details: ${summary.command}`,
  ].join('\n');

const headline = (
  { service, release, environment }: ReleaseNames,
  { outcome }: ReleaseSummary,
): string => {
  if (outcome === 'deployed') return `${service} ${release} is live in ${environment}.`;
  const back = `${service} ${release} was taken back in ${environment}; the version before runs again`;
  return outcome === 'restored-exactly'
    ? `${back}, exactly as it was.`
    : `${back}, but not everything is as it was: someone has to look at it.`;
};

const peopleText = ({ requestedBy, approvedBy }: ReleaseSummary): string => {
  const asked = `${requestedBy.actor} asked for it (${requestedBy.reason})`;
  if (approvedBy.length === 0) return `${asked}; no approval was needed.`;
  const approvals = approvedBy.map(({ actor, reason }) => `${actor} approved it (${reason})`);
  return `${[asked, ...approvals].join('; ')}.`;
};

const changesText = ({ images, objects, outcome }: ReleaseSummary): string => {
  const tense = outcome === 'deployed' ? 'What changed' : 'What would have changed';
  const moved = images.map(
    ({ container, before, after }) => `${container} from ${before || 'nothing'} to ${after}`,
  );
  const all = `${objects} ${objects === 1 ? 'object' : 'objects'} in all`;
  return `${tense}: ${[...moved, all].join(', ')}.`;
};

const verdicts: Readonly<Record<string, string>> = {
  pass: 'passed',
  fail: 'failed',
  'no-data': 'saw nothing',
  'not-measured': 'was not measured',
};

const gateText = ({
  name,
  verdict,
  samples,
  failures,
}: ReleaseSummary['gates'][number]): string => {
  const counted = samples === 0 ? '' : ` (${samples} measured, ${failures} bad)`;
  return `${name} ${verdicts[verdict] ?? `was ${verdict}`}${counted}`;
};

/** Two units are as exact as anyone wants to know. */
const durationText = (durationMs: number): string => {
  const seconds = Math.max(1, Math.round(durationMs / 1_000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
};
