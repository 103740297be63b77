import { clockText } from '../explain/wording.ts';
import { failedOf } from '../rollout-line.ts';
import { tag, type Content, type Markup } from './markup.ts';
import type { ReleaseReport } from './release-report.ts';
import { verdictTones, type TimedGate } from './rollout-moments.ts';

/** A table, or a sentence where it would be empty. */
const table = (head: readonly string[], rows: readonly (readonly Content[])[]): Markup =>
  tag(
    'div',
    { class: 'wide' },
    tag(
      'table',
      {},
      tag(
        'thead',
        {},
        tag(
          'tr',
          {},
          head.map((title) => tag('th', { scope: 'col' }, title)),
        ),
      ),
      tag(
        'tbody',
        {},
        rows.map((row) =>
          tag(
            'tr',
            {},
            row.map((cell) => tag('td', {}, cell)),
          ),
        ),
      ),
    ),
  );

const section = (id: string, title: string, ...content: Content[]): Markup =>
  tag('section', { id }, tag('h2', {}, title), content);

const verdict = (word: string, tone: string): Markup =>
  tag('span', { class: `verdict ${tone}` }, word.replaceAll('-', ' '));

export const gatesSection = (gates: readonly TimedGate[]): Markup =>
  section(
    'gates',
    'Gates',
    gates.length === 0
      ? tag('p', { class: 'none' }, 'No gate was reached.')
      : table(
          ['', 'gate', 'verdict', 'requests', 'why', 'when'],
          gates.map(({ number, gate, atMs }) => [
            tag('span', { class: `badge ${verdictTones[gate.verdict]}` }, String(number)),
            gate.name,
            verdict(gate.verdict, verdictTones[gate.verdict]),
            gate.samples > 0 ? failedOf(gate) : '–',
            gate.note,
            atMs === undefined ? '–' : time(atMs, atMs),
          ]),
        ),
  );

/** A time of day; with the day where that is not the one of the reference. */
const time = (atMs: number, referenceMs: number): Markup =>
  tag('time', { datetime: new Date(atMs).toISOString() }, clockText(atMs, referenceMs));

const compensationTones: Record<string, string> = {
  undone: 'good',
  'nothing-to-undo': 'good',
  failed: 'bad',
};

/** Nothing where nothing had to be undone. */
export const compensationsSection = ({ facts }: ReleaseReport): Content => {
  const compensations = facts.result?.compensations ?? [];
  if (compensations.length === 0) return [];
  const rows = compensations.map(({ step, outcome, note, error }) => [
    step,
    verdict(outcome, compensationTones[outcome] ?? 'odd'),
    error === undefined ? note : `${note} ${error.code}: ${error.message}`,
  ]);
  return section('way-back', 'Way back', table(['step', 'outcome', 'note'], rows));
};

export const proofSection = ({ facts }: ReleaseReport): Markup => {
  const proof = facts.result?.proof;
  if (proof === undefined || proof.rows.length === 0) {
    const why = facts.result === null ? 'nothing was touched' : 'an operator gave up on it';
    return section('proof', 'Proof', tag('p', { class: 'none' }, `There is no proof: ${why}.`));
  }
  const exact = proof.rows.filter((row) => row.verdict === 'exact').length;
  const claim = proof.direction === 'forward' ? 'as the plan says' : 'as before';
  const rows = proof.rows.map(({ object, hashBefore, hashAfter, verdict: found, fields }) => [
    `${object.kind}/${object.name}`,
    hash(hashBefore),
    hash(hashAfter),
    verdict(found, found === 'exact' ? 'good' : 'odd'),
    fields.join(', '),
  ]);
  const ignored = proof.ignored.map(({ path, reason }) => [tag('code', {}, path), reason]);
  return section(
    'proof',
    'Proof',
    tag('p', {}, `${String(exact)} of ${String(proof.rows.length)} objects are exactly ${claim}.`),
    table(['object', 'before', 'after', 'verdict', 'fields'], rows),
    ignored.length === 0 ? [] : [tag('h3', {}, 'Not compared'), table(['field', 'why'], ignored)],
  );
};

/** Twelve digits tell objects of a table apart; whoever points at it sees all. */
const hash = (digest: string): Markup =>
  tag('code', { title: digest }, digest.replace(/^sha256:/, '').slice(0, 12));

export const identitiesSection = ({ facts }: ReleaseReport): Markup => {
  const rows = facts.identities.map(({ action, actor, verification, reason }) => [
    action,
    actor,
    reason,
    verification,
  ]);
  return section(
    'people',
    'Who asked and decided',
    rows.length === 0
      ? tag('p', { class: 'none' }, 'Nobody is on record: the release ended before it asked.')
      : table(['action', 'who', 'why', 'identity'], rows),
  );
};

export const timelineSection = ({ timeline, facts }: ReleaseReport): Markup => {
  if (timeline === null) {
    const why = 'No worker answered, so what happened when is not in this report.';
    return section('timeline', 'Timeline', tag('p', { class: 'none' }, why));
  }
  const started = facts.startedAtMs;
  const rows = timeline.map(({ atMs, what }) => [time(atMs, started), what]);
  return section('timeline', 'Timeline', table(['when', 'what'], rows));
};
