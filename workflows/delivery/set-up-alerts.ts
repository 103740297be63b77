import type { AlertsStep } from '../../activities/metrics/port.ts';
import type { RecordedAlerts } from '../../domain/delivery/alert-rules.ts';
import { withAlerts } from '../../domain/delivery/release-stage.ts';
import { refuseInput } from '../runtime/failures.ts';
import { finishWrite } from '../runtime/run-control.ts';
import type { Undo } from '../runtime/saga.ts';
import type { PreparedRelease } from './prepare-release.ts';
import type { ReleaseRun } from './release-run.ts';
import { step } from './run-step.ts';
import type { WayBack } from './unwind-release.ts';

export const alertsStage = 'alerts';

/** Refuses alerts that could not be set up before anything is planned. */
export const checkAlerts = async (run: ReleaseRun): Promise<void> => {
  const { environment, service, release, alerts, adopt } = run.input;
  if (alerts === undefined) return;
  run.state.stages = withAlerts(run.state.stages);
  const found = await run.ports.alertRules.check(
    { environment, service, release, alerts, adopt },
    { summary: 'check the alerts' },
  );
  refuseInput(found);
};

/** The rule file as it is before the release; undefined where the release has no say in it. */
export const captureAlerts = async (run: ReleaseRun): Promise<RecordedAlerts | undefined> => {
  const { environment, service, release, alerts, adopt } = run.input;
  if (alerts === undefined) return undefined;
  const { text: before } = await run.ports.alertRules.capture(
    { environment, service, adopt },
    { summary: 'keep the alerts of the version before' },
  );
  return { environment, service, release, alerts, before };
};

/**
 * Sets up the alerts of the new version. First with one that always fires, which proves that
 * Prometheus has read them and evaluates them, then without it.
 */
export const setUpAlerts = async (
  run: ReleaseRun,
  { alerts, forward }: PreparedRelease,
  back: WayBack,
): Promise<void> => {
  if (alerts === undefined) return;
  run.saga.record(alertsEntry(alerts), undoAlerts(back, alerts));
  const { epoch } = forward;
  await step(run, { stage: alertsStage, found: 'verify' }, async () => {
    const wanted = { ...alerts, epoch };
    if (alerts.alerts.length > 0) await load(run, wanted, 'probed');
    const group = await load(run, wanted, 'wanted');
    return { value: group, note: noteOf(alerts, group) };
  });
};

const noteOf = ({ alerts }: RecordedAlerts, group: string | null): string =>
  group === null ? 'there are none any more' : `${alerts.length} in ${group}, proven to fire`;

const load = async (
  run: ReleaseRun,
  wanted: AlertsStep,
  state: 'probed' | 'wanted',
): Promise<string | null> => {
  const { alertRules } = run.ports;
  const deadlineMs = run.waits.alertsDeadlineMs;
  const how = state === 'probed' ? 'with one that fires' : 'for good';
  await finishWrite(run.waits.writeGraceMs, () =>
    alertRules.write({ ...wanted, state }, { summary: `write the alerts ${how}` }),
  );
  const { group } = await alertRules.awaitLoaded(
    { ...wanted, state, deadlineMs },
    { summary: `wait until Prometheus has the alerts ${how}`, waitMs: deadlineMs },
  );
  return group;
};

/** Nothing that serves depends on alerts: traffic goes back without waiting for them. */
export const alertsEntry = ({ service }: RecordedAlerts): { step: string; service: string } => ({
  step: alertsStage,
  service: `${alertsStage} of ${service}`,
});

/** Puts the rule file back byte by byte, and waits until Prometheus has what it says. */
export const undoAlerts =
  ({ ports, step: { epoch } }: WayBack, alerts: RecordedAlerts): Undo =>
  async (budgetMs) => {
    const before = { ...alerts, epoch };
    const { outcome, file } = await ports.alertRules.putBack(before, {
      summary: 'undo: alerts',
      scheduleToCloseMs: budgetMs,
    });
    if (outcome === 'foreign-change-preserved') {
      return { outcome, note: `kept: ${file}, which someone else changed` };
    }
    await ports.alertRules.awaitLoaded(
      { ...before, state: 'before', deadlineMs: budgetMs },
      {
        summary: 'wait until Prometheus has the alerts of before',
        waitMs: budgetMs,
        scheduleToCloseMs: budgetMs,
      },
    );
    return { outcome: outcome === 'reverted' ? 'undone' : outcome, note: file };
  };
