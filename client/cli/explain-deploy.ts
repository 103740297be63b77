import type { CommandContext } from './command-context.ts';
import type { ExplainFlags } from './explain-verb.ts';
import { explainRelease } from './explain/explain-release.ts';
import { renderExplanation } from './explain/render-explanation.ts';
import { gatherFacts } from './gather-facts.ts';
import { findRun, targetOf } from './look-at-run.ts';
import { openClient } from './open-client.ts';
import { requireEnvironment } from './required-environment.ts';
import { canvasOf, printJson, printLine } from './terminal.ts';

/** `holdfast deploy explain` */
export const explainDeploy = async (
  { terminal }: CommandContext,
  service: string,
  flags: ExplainFlags,
): Promise<void> => {
  const environment = requireEnvironment(flags.environment);
  await using ops = await openClient(undefined);
  const run = await findRun(ops, { service, environment, release: flags.release });
  const name = targetOf(run, { service, environment });
  const explanation = explainRelease(await gatherFacts(ops, run, name));
  if (flags.json === true) {
    printJson(terminal, { workflowId: run.workflowId, url: run.url, ...name, ...explanation });
    return;
  }
  printLine(terminal, renderExplanation(name, explanation, canvasOf(terminal, terminal.stdout)));
};
