import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';

/** Current details may have 20,000 bytes; more would only scroll. */
const longestDetails = 8_000;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const clock = (atMs: number | undefined): string =>
  atMs === undefined ? '' : new Date(atMs).toISOString().slice(11, 19);

const stageTable = ({ stages }: DeployServiceProgress): string[] => [
  '| stage | status | from | to | note |',
  '|---|---|---|---|---|',
  ...stages.map(
    ({ name, status, note, startedAtMs, endedAtMs }) =>
      `| ${cell(name)} | ${status} | ${clock(startedAtMs)} | ${clock(endedAtMs)} | ${cell(note)} |`,
  ),
];

const exampleMessage = (verb: string, planDigest: string | undefined): string =>
  JSON.stringify({
    actor: 'you@example.com',
    reason: 'why',
    ...(planDigest !== undefined && (verb === 'approve' || verb === 'reject')
      ? { planDigest }
      : {}),
  });

const waiting = ({ waitingFor }: DeployServiceProgress, workflowId: string): string[] => {
  if (waitingFor === undefined) return [];
  const { what, verbs, deadlineAtMs, planDigest } = waitingFor;
  const until = deadlineAtMs === undefined ? '' : ` until ${new Date(deadlineAtMs).toISOString()}`;
  return [
    '',
    `**Waits for ${what}**${until}. Send one of these updates:`,
    '',
    ...verbs.map((verb) => `- \`${verb}\` with \`${exampleMessage(verb, planDigest)}\``),
    '',
    `From a terminal: \`temporal workflow update execute --workflow-id '${workflowId}' --name ${verbs[0] ?? ''} --input '…'\``,
  ];
};

const failureLines = ({ failure, failedStep }: DeployServiceProgress): string[] => {
  if (failure === undefined) return [];
  const next = failure.next === undefined ? '' : ` Next: ${failure.next}`;
  return ['', `**${failure.code}** in \`${failedStep ?? '?'}\`: ${failure.message}${next}`];
};

const gateLines = ({ gates }: DeployServiceProgress): string[] =>
  gates.map(({ name, verdict, note }) => `- gate \`${name}\`: **${verdict}**, ${note}`);

const compensationLines = ({ compensations }: DeployServiceProgress): string[] =>
  compensations.map(({ step, outcome, note }) => `- undo \`${step}\`: **${outcome}** ${note}`);

/** What the Temporal UI shows on top of a run: where it is and what it waits for. */
export const renderDetails = (progress: DeployServiceProgress, workflowId: string): string => {
  const { service, environment, release, status, outcome } = progress;
  const lines = [
    `### ${service} ${release} → ${environment}: ${outcome ?? status}`,
    ...waiting(progress, workflowId),
    ...failureLines(progress),
    '',
    ...stageTable(progress),
    '',
    ...gateLines(progress),
    ...compensationLines(progress),
  ];
  const text = lines.join('\n');
  return text.length <= longestDetails ? text : `${text.slice(0, longestDetails)}…`;
};
