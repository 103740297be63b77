import { log, patched, workflowInfo } from '@temporalio/workflow';
import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import { firstBadAtMs, servedEveryoneAtMs } from '../../domain/delivery/ended-release.ts';
import type { EndedRelease } from '../../domain/delivery/ended-release.ts';
import { imageChanges, summaryText } from '../../domain/delivery/release-summary.ts';
import type { ReleaseSummary } from '../../domain/delivery/release-summary.ts';
import { notifyAll } from './announce.ts';
import type { PreparedRelease } from './prepare-release.ts';
import type { ReleaseRun } from './release-run.ts';

/** Runs from before these were told replay without them. */
const endingPatch = 'release-ending';

export interface ToldEnding {
  outcome: DeployServiceResult['outcome'];
  prepared: PreparedRelease | undefined;
  /** When the release turned back; absent where it did not. */
  failedAtMs?: number;
}

/** Counts the release for the figures of delivery, and sums it up for whoever is notified. */
export const tellEnding = async (run: ReleaseRun, ending: ToldEnding): Promise<void> => {
  if (!patched(endingPatch)) return;
  const summary = summaryOf(run, ending);
  const text = summaryText(run.input, summary);
  await Promise.all([
    record(run, ending),
    notifyAll(run, { event: 'release.summary', text, summary }),
  ]);
};

/** What is released is not worth less because it could not be counted. */
const record = async (run: ReleaseRun, ending: ToldEnding): Promise<void> => {
  try {
    await run.ports.releaseRecords.add(endedRelease(run, ending), {
      summary: 'count the release',
    });
  } catch (error) {
    log.warn('the release was not counted', { error });
    run.note('the release was not counted');
  }
};

const endedRelease = (run: ReleaseRun, { outcome, failedAtMs }: ToldEnding): EndedRelease => {
  const { service, environment, release, commit } = run.input;
  const { stages, failedStep, failure } = run.state;
  const endedAtMs = Date.now();
  const about = { runId: workflowInfo().firstExecutionRunId, service, environment, release };
  if (outcome === 'deployed' || failedAtMs === undefined) {
    const servedAtMs = servedEveryoneAtMs(stages) ?? endedAtMs;
    const lead = commit === undefined ? {} : { leadTimeMs: servedAtMs - commit.committedAtMs };
    return { ...about, ending: 'deployed', endedAtMs, ...lead };
  }
  const samples = run.evidence.samples ?? [];
  const restoreMs = endedAtMs - firstBadAtMs({ samples, failedStep, failedAtMs });
  const ending = failure?.code === 'ABORTED' ? 'aborted' : 'failed';
  return { ...about, ending, endedAtMs, restoreMs };
};

const summaryOf = (run: ReleaseRun, { outcome, prepared }: ToldEnding): ReleaseSummary => {
  const { service, environment, release, requestedBy } = run.input;
  const { changes = [], images = [] } = prepared?.plan ?? {};
  const lasting = changes.filter(
    ({ action, temporary }) => action !== 'keep' && temporary !== true,
  );
  const { failure, gates } = run.state;
  return {
    outcome,
    durationMs: Date.now() - workflowInfo().startTime.getTime(),
    images: imageChanges(lasting, images),
    objects: lasting.length,
    gates: gates.map(({ name, verdict, samples, failures }) => ({
      name,
      verdict,
      samples,
      failures,
    })),
    requestedBy: { actor: requestedBy.actor, reason: requestedBy.reason },
    approvedBy: run.evidence.identities
      .filter(({ action }) => action === 'approve')
      .map(({ actor, reason }) => ({ actor, reason })),
    ...(failure === undefined ? {} : { why: failure.message }),
    command: `holdfast deploy report ${service} -e ${environment} --release ${release}`,
  };
};
