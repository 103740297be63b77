import type { DeployServiceInput } from '../../../contracts/delivery/deploy-service.ts';
import { failedStepOf, failureOf, outcomeOf } from '../explain/ending.ts';
import { lastBy, type ReleaseFacts } from '../explain/release-facts.ts';

import { lengthText } from '../explain/wording.ts';
import { link, tag, text, type Content, type Markup } from './markup.ts';
import type { ReleaseReport } from './release-report.ts';

const outcomes: Record<string, { words: string; tone: string }> = {
  deployed: { words: 'deployed and proven', tone: 'good' },
  'restored-exactly': { words: 'put back, exactly as before', tone: 'odd' },
  'restored-with-exceptions': { words: 'put back, with exceptions', tone: 'bad' },
  refused: { words: 'refused, nothing was touched', tone: 'bad' },
};

export const titleOf = ({ service, release, environment }: ReleaseFacts['name']): string =>
  `${service} ${release} → ${environment}`;

/** How it ended, who wanted it and how it was done. */
export const reportHeader = (report: ReleaseReport): Markup => {
  const { facts } = report;
  const outcome = outcomeOf(facts);
  const { words, tone } = outcomes[outcome] ?? { words: outcome, tone: 'odd' };
  return tag(
    'header',
    {},
    tag('h1', {}, titleOf(facts.name)),
    tag('p', { class: `outcome ${tone}` }, words),
    failureBox(facts),
    tag(
      'dl',
      {},
      factRows(report).map(([term, value]) => [tag('dt', {}, term), tag('dd', {}, value)]),
    ),
  );
};

const failureBox = (facts: ReleaseFacts): Content => {
  const failure = failureOf(facts);
  if (failure === undefined) return [];
  const step = failedStepOf(facts);
  return tag(
    'div',
    { class: 'failure' },
    tag('strong', {}, failure.code),
    step === undefined ? '' : ` in ${step}`,
    tag('pre', {}, failure.message),
    failure.next === undefined ? [] : tag('p', {}, failure.next),
  );
};

const factRows = (report: ReleaseReport): (readonly [string, Content])[] =>
  [peopleRows(report.facts), timeRows(report.facts), rolloutRows(report.facts), runRows(report)]
    .flat()
    .filter(([, value]) => value !== '');

type FactRow = readonly [string, Content];

const peopleRows = (facts: ReleaseFacts): FactRow[] => {
  const asked = lastBy(facts, ['deploy']) ?? facts.input?.requestedBy;
  const approved = lastBy(facts, ['approve']);
  return [
    ['asked for by', asked === undefined ? '' : `${asked.actor}: ${asked.reason}`],
    ['approved by', approved === undefined ? '' : `${approved.actor}: ${approved.reason}`],
  ];
};

const timeRows = ({ startedAtMs, endedAtMs }: ReleaseFacts): FactRow[] => [
  ['started', dayText(startedAtMs)],
  [
    'ended',
    endedAtMs === null ? '' : `${dayText(endedAtMs)}, after ${lengthText(endedAtMs - startedAtMs)}`,
  ],
];

const dayText = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

const rolloutRows = ({ input, plan }: ReleaseFacts): FactRow[] => [
  ['strategy', input === null ? '' : strategyText(input.strategy)],
  [
    'images',
    (plan?.images ?? [])
      .map(({ container, image }) => `${image} (container ${container})`)
      .join(', '),
  ],
];

const strategyText = (strategy: DeployServiceInput['strategy']): string => {
  if (!('steps' in strategy)) return strategy.type;
  const stops = strategy.steps.map(
    ({ weightPercent, forMs }) => `${String(weightPercent)} % for ${lengthText(forMs)}`,
  );
  const without = strategy.type === 'canary' ? ' by the numbers of pods' : '';
  const by = strategy.route === undefined ? without : ` by HTTPRoute ${strategy.route}`;
  const retain =
    strategy.type === 'blue-green' && strategy.retainMs > 0
      ? [`the old version kept for ${lengthText(strategy.retainMs)}`]
      : [];
  return `${strategy.type}${by}: ${[...stops, '100 %', ...retain].join(', ')}`;
};

const runRows = ({ facts, url }: ReleaseReport): FactRow[] => {
  const { result, workflowId } = facts;
  const { preImageDigest, logsDigest } = result?.evidence ?? {};
  return [
    ['run', url === null ? text(workflowId) : link(url, workflowId)],
    ['epoch', result === null ? '' : String(result.epoch)],
    ['plan', digest(result?.planDigest)],
    ['pre-images', digest(preImageDigest)],
    ['logs', digest(logsDigest)],
  ];
};

const digest = (value: string | undefined): Content =>
  value === undefined || value === '' ? '' : tag('code', {}, value);
