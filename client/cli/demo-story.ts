import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readDeployRequest } from './deploy-request.ts';
import { chapters, deviations, type Chapter, type ChapterRecord } from './demo-chapters.ts';
import { withPace, withRepository } from './demo-request.ts';
import type { DemoStack } from './demo-stack.ts';
import { startTraffic, type Traffic } from './demo-traffic.ts';
import { isSealed as isSealedPayload } from '../../activities/encryption/index.ts';
import type { DeployServiceHandle, DeployServiceResult, OpsClient } from '../index.ts';
import { OpsError } from '../ops-error.ts';
import { followRun } from './follow-run.ts';
import type { FollowEnd } from './watch-run.ts';
import { renderProof, renderVerdicts } from './render-proof.ts';
import { canvasOf, printLine, say, type Terminal } from './terminal.ts';

/** The whole story as it went. */
export interface Story {
  records: ChapterRecord[];
  /** Chapters that could not be told here, with the reason. */
  untold: string[];
}

export interface StorySetting {
  terminal: Terminal;
  stack: DemoStack;
  /** Repository in place of the sample image's. */
  image: string | undefined;
  /** `docs/examples/shop` of this package. */
  examplesDirectory: string;
}

/** Tells the chapters one after the other; the first one that cannot go on ends the story. */
export const tellStory = async (setting: StorySetting): Promise<Story> => {
  const { stack } = setting;
  const records: ChapterRecord[] = [];
  const untold: string[] = [];
  let traffic: Traffic | null = null;
  try {
    for (const chapter of chapters) {
      if (chapter.needsTraffic && stack.traffic === null) {
        untold.push(`${chapter.version}, traffic: not measured (${stack.noTraffic})`);
        continue;
      }
      const record = await tellChapter(setting, chapter, traffic);
      records.push(record);
      // The chapters build on each other: what follows a surprise would prove nothing.
      if (deviations(record).length > 0) return { records, untold };
      if (traffic === null && stack.traffic !== null) traffic = await openTraffic(stack.traffic);
    }
  } finally {
    await traffic?.stop();
  }
  return { records, untold };
};

const tellChapter = async (
  { terminal, stack, image, examplesDirectory }: StorySetting,
  chapter: Chapter,
  traffic: Traffic | null,
): Promise<ChapterRecord> => {
  say(terminal, `\n${chapter.tells}`, 'strong');
  const file = path.join(examplesDirectory, chapter.version, 'holdfast.yaml');
  const { environment } = stack;
  const request = withPace(await readDeployRequest(terminal, { file, environment }), {
    hasShortDeadline: chapter.neverReady,
  });
  const { approver } = stack;
  const startedAtMs = performance.now();
  const run = await stack.ops.delivery.deployService.start({
    ...request,
    ...(approver === undefined ? {} : { approvals: [{ name: 'release-manager' }] }),
    release: chapter.version.slice(1),
    manifests: withRepository(request.manifests, image),
    requestedBy: { reason: chapter.tells },
  });
  await traffic?.nextChapter();
  const following = followRun(terminal, run, { output: terminal.stderr });
  if (approver !== undefined) await approveWhenAsked(approver, run.workflowId);
  const end = await following;
  if (end !== 'ended') throw storyStopped(end, run.workflowId);
  const result = await run.result();
  const elapsedMs = performance.now() - startedAtMs;
  if (traffic !== null) await delay(settleMs);
  const counts = traffic === null ? null : await traffic.nextChapter();
  const canvas = canvasOf(terminal, terminal.stdout);
  const isFirst = chapter === chapters[0];
  printLine(terminal, (isFirst ? renderProof : renderVerdicts)(result.proof, canvas));
  const isProven =
    approver === undefined ? null : isSigned(result) && (await isSealed(run, stack.ops));
  return { chapter, result, traffic: counts, isProven, elapsedMs, url: run.url };
};

/** As someone does who was asked: reads which plan it is, and signs for that one. */
const approveWhenAsked = async (approver: OpsClient, workflowId: string): Promise<void> => {
  const run = await approver.delivery.deployService.getHandle(workflowId);
  for await (const { progress } of run.watch()) {
    const planDigest = progress?.waitingFor?.planDigest;
    if (planDigest === undefined) continue;
    await run.approve({ reason: 'the plan is what was announced', planDigest });
    return;
  }
};

const isSigned = ({ evidence }: DeployServiceResult): boolean =>
  evidence.identities.map(({ action }) => action).join() === 'deploy,approve' &&
  evidence.identities.every(({ verification }) => verification === 'verified');

/** The input of the run, as Temporal has it, cannot be read. */
const isSealed = async ({ workflowId }: DeployServiceHandle, { temporal }: OpsClient) => {
  const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
  const started = events?.[0]?.workflowExecutionStartedEventAttributes;
  const [payload] = started?.input?.payloads ?? [];
  return payload !== undefined && isSealedPayload(payload);
};

const storyStopped = (end: FollowEnd, workflowId: string): OpsError =>
  new OpsError({
    code: end === 'needs-operator' ? 'COMPENSATION_FAILED' : 'ABORTED',
    message: `The story stopped in ${workflowId}: ${end.replace('-', ' ')}.`,
    next: 'Run `npm run demo` again; with --keep the run stays for a look.',
    subject: workflowId,
  });

// Requests in flight when the run ended are counted for it.
const settleMs = 500;

const steadyAnswers = 50;
const steadyWithinMs = 30_000;

/** Starts the stream, and waits until the gateway has learnt the way. */
const openTraffic = async (settings: NonNullable<DemoStack['traffic']>): Promise<Traffic> => {
  const traffic = startTraffic(settings);
  const deadlineMs = performance.now() + steadyWithinMs;
  for (;;) {
    await delay(settleMs);
    const { sent, failed, failureExample } = await traffic.nextChapter();
    if (failed === 0 && sent >= steadyAnswers) return traffic;
    if (performance.now() < deadlineMs) continue;
    await traffic.stop();
    throw new Error(`The service does not answer through the gateway: ${failureExample ?? ''}`);
  }
};
