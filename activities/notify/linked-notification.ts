import type { Notification } from './port.ts';

/** Where people see runs. */
export interface TemporalUi {
  /** Its address as people reach it, e.g. `https://temporal.example`. */
  url: string;
  /** Of Temporal. */
  namespace: string;
}

const linkTo = ({ url, namespace }: TemporalUi, { workflowId, runId }: Notification): string => {
  const run = runId === undefined ? '' : `/${runId}`;
  const base = url.replace(/\/+$/, '');
  return `${base}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}${run}`;
};

/** With a link to the run; in the text of a summary too, because people read that and no data. */
export const linkedNotification = (
  notification: Notification,
  ui: TemporalUi | undefined,
): Notification => {
  if (ui === undefined) return notification;
  const link = linkTo(ui, notification);
  const { event, text } = notification;
  return {
    ...notification,
    link,
    ...(event === 'release.summary' ? { text: `${text}\nThe run: ${link}` } : {}),
  };
};
