import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import type { ManageAccessProgress } from '../../contracts/security/manage-access.ts';

/** What the runs of all use cases show. */
type Shown = Pick<ManageAccessProgress, 'stages' | 'waitingFor'>;

/** Current details may have 20,000 bytes; more would only scroll. */
const longestDetails = 8_000;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const clock = (atMs: number | undefined): string =>
  atMs === undefined ? '' : new Date(atMs).toISOString().slice(11, 19);

const stageTable = ({ stages }: Shown): string[] => [
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

const waiting = ({ waitingFor }: Shown, workflowId: string): string[] => {
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
  return cut(lines);
};

const cut = (lines: readonly string[]): string => {
  const text = lines.join('\n');
  return text.length <= longestDetails ? text : `${text.slice(0, longestDetails)}…`;
};

/** The same for a change of access: who has what before and after, and which targets have it. */
export const renderAccessDetails = (progress: ManageAccessProgress, workflowId: string): string => {
  const { change, status, outcome, before, after, targets } = progress;
  const rolesOf = (person: string): string =>
    before.find((each) => each.person === person)?.roles.join('; ') ?? '';
  return cut([
    `### access ${change}: ${outcome ?? status}`,
    ...waiting(progress, workflowId),
    '',
    ...stageTable(progress),
    '',
    ...(after.length === 0 ? [] : ['| person | before | after |', '|---|---|---|']),
    ...after.map(
      ({ person, roles }) =>
        `| ${cell(person)} | ${cell(rolesOf(person))} | ${cell(roles.join('; '))} |`,
    ),
    '',
    ...targets.map(({ target, state, note }) => `- target \`${target}\`: **${state}** ${note}`),
  ]);
};
