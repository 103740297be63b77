import { writeFile } from 'node:fs/promises';
import { OpsError, type DeployServiceHandle } from '../index.ts';
import type { CommandContext } from './command-context.ts';
import { lookCommand, type CommandTarget } from './command-lines.ts';
import { explainRelease } from './explain/explain-release.ts';
import type { ReleaseFacts } from './explain/release-facts.ts';
import { gatherFacts } from './gather-facts.ts';
import { findRun, targetOf } from './look-at-run.ts';
import { openClient } from './open-client.ts';
import type { ReportFlags } from './report-verb.ts';
import type { ReleaseReport } from './report/release-report.ts';
import { renderReport } from './report/render-report.ts';
import { requireEnvironment } from './required-environment.ts';
import { printLine } from './terminal.ts';

/** `holdfast deploy report` */
export const reportDeploy = async (
  { terminal }: CommandContext,
  service: string,
  flags: ReportFlags,
): Promise<void> => {
  const environment = requireEnvironment(flags.environment);
  await using ops = await openClient(undefined);
  const run = await findRun(ops, { service, environment, release: flags.release });
  const facts = await gatherFacts(ops, run, targetOf(run, { service, environment }));
  refuseUnfinished(facts);
  const page = renderReport({
    facts,
    timeline: await timelineOf(run, facts),
    url: run.url ?? null,
  });
  if (flags.output === '-') {
    terminal.stdout.write(page);
    return;
  }
  const file = flags.output ?? fileNameOf(facts.name);
  await write(file, page);
  printLine(terminal, file);
};

const fileNameOf = ({ service, environment, release }: CommandTarget): string =>
  `${service}-${environment}-${release}.html`;

/** Half a story would be read as the whole one. */
const refuseUnfinished = (facts: ReleaseFacts): void => {
  const { situation, headline } = explainRelease(facts);
  if (situation === 'finished') return;
  const { workflowId, name } = facts;
  throw new OpsError({
    code: 'MESSAGE_REFUSED',
    message: `There is no report of ${workflowId} yet: it ${headline}. Nothing was written.`,
    next: `Ask what it waits for with \`${lookCommand('deploy explain', name)}\`.`,
    subject: workflowId,
  });
};

const timelineOf = async (
  run: DeployServiceHandle,
  { progress }: ReleaseFacts,
): Promise<ReleaseReport['timeline']> => {
  if (progress === null) return null;
  return run.timeline().catch((error: unknown) => {
    // The worker went away in between; the report says that the timeline is missing.
    if (error instanceof OpsError && error.code === 'TEMPORAL_UNREACHABLE') return null;
    throw error;
  });
};

const write = async (file: string, page: string): Promise<void> => {
  try {
    await writeFile(file, page);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OpsError(
      {
        code: 'INVALID_INPUT',
        message: `--output: ${file} cannot be written: ${reason}.`,
        next: 'Name a file in a directory that is there with -o, or - for standard output.',
        subject: '--output',
      },
      { cause },
    );
  }
};
