import { log, workflowInfo } from '@temporalio/workflow';
import type { Notification, NotifyTarget } from '../../activities/notify/port.ts';
import type { Ports } from '../runtime/ports.ts';

/** The part of a run that a notification tells about. */
export interface Announcer {
  ports: Ports;
  input: { notify: NotifyTarget[] };
  state: { service: string; environment: string; release: string };
  note(what: string): void;
}

/**
 * Tells all targets at once. A target that does not take it never fails the run; the
 * timeline says so.
 */
export const announce = (
  run: Announcer,
  event: Notification['event'],
  text: string,
): Promise<void> => notifyAll(run, { event, text });

/** Longer than it takes to start a worker again on another machine. */
const incidentDeadlineMs = 600_000;

/** The id is part of the history: however often a delivery is tried, it is the same event. */
export const notifyAll = async (
  run: Announcer,
  about: Pick<Notification, 'event' | 'text' | 'incident' | 'summary'>,
): Promise<void> => {
  const { event } = about;
  // An incident that nobody hears of is worse than a run that ends later.
  const patience =
    event === 'incident.open' ? { scheduleToCloseMs: incidentDeadlineMs } : undefined;
  const { workflowId, runId, firstExecutionRunId } = workflowInfo();
  const { service, environment, release } = run.state;
  const summary = `notify: ${event}`;
  const send = async (target: NotifyTarget): Promise<void> => {
    const id = `${firstExecutionRunId}:${event}:${String(Date.now())}`;
    const notification = { id, ...about, service, environment, release, workflowId, runId };
    try {
      await run.ports.notifications.send({ target, notification }, { summary, ...patience });
    } catch (error) {
      log.warn('a notification was not delivered', { event, error });
      run.note(`notification ${event} was not delivered`);
    }
  };
  await Promise.all(run.input.notify.map(send));
};
