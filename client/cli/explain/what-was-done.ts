import type { DeployServiceProgress } from '../../../contracts/delivery/deploy-service.ts';
import { lastBy, type Identity, type ReleaseFacts } from './release-facts.ts';
import { listText, saidText } from './wording.ts';

type Gate = DeployServiceProgress['gates'][number];

const mostWrites = 3;

/** What the release has done so far. */
export const doneSentences = (facts: ReleaseFacts): string[] => {
  const asked = askedBy(facts);
  return [
    ...(asked === undefined ? [] : [saidText(asked, 'asked for it')]),
    ...preparedSentences(facts),
    ...writtenSentences(facts),
    ...gatesOf(facts).map(gateSentence),
  ];
};

const askedBy = (facts: ReleaseFacts): Identity | undefined => {
  const requested = facts.input?.requestedBy;
  const fallback =
    requested === undefined
      ? undefined
      : { action: 'deploy', verification: '', actor: requested.actor, reason: requested.reason };
  return lastBy(facts, ['deploy']) ?? fallback;
};

const preparedSentences = (facts: ReleaseFacts): string[] => {
  const stage = (name: string) =>
    facts.progress?.stages.find((one) => one.name === name && one.status === 'done');
  const [lock, plan] = [stage('lock'), stage('plan')];
  const approved = lastBy(facts, ['approve']);
  return [
    ...(lock === undefined ? [] : [`It got the lock (${lock.note}).`]),
    ...(plan === undefined ? [] : [`By its plan ${plan.note}.`]),
    ...(approved === undefined ? [] : [saidText(approved, 'approved the plan')]),
  ];
};

const writtenSentences = ({ progress, plan }: ReleaseFacts): string[] => {
  const steps = new Set(plan?.changes.map(({ step }) => step));
  const written = (progress?.stages ?? [])
    .filter(({ name, status }) => status === 'done' && steps.has(name))
    .map(({ name }) => name);
  if (written.length > 0) return [`Written: ${listText(written, mostWrites)}.`];
  const preImage = progress?.stages.find(({ name }) => name === 'pre-image')?.status;
  return preImage === 'pending' ? ['Nothing is written to the cluster yet.'] : [];
};

const gatesOf = ({ progress, result }: ReleaseFacts): readonly Gate[] =>
  result?.gates ?? progress?.gates ?? [];

const verdictWords: Record<Gate['verdict'], string> = {
  pass: 'passed',
  fail: 'failed',
  inconclusive: 'is inconclusive',
  'no-data': 'had no data, which is not a pass',
  'not-measured': 'was not measured',
  skipped: 'was skipped',
};

const gateSentence = ({ name, verdict, note }: Gate): string =>
  `Gate \`${name}\` ${verdictWords[verdict]}${note === '' ? '' : `: ${note}`}.`;
