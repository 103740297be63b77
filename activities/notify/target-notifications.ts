import { linkedNotification, type TemporalUi } from './linked-notification.ts';
import { createLogNotifier, type NotificationLog } from './log-notifier.ts';
import type { Notifications } from './port.ts';
import { createWebhookNotifier } from './webhook-notifier.ts';

/** Notifications that go where each target says, with a link to the run where `ui` is known. */
export const createNotifications = (deps: {
  log: NotificationLog;
  ui?: TemporalUi | undefined;
}): Notifications => {
  const writeToLog = createLogNotifier(deps.log);
  const postToWebhook = createWebhookNotifier();
  return {
    async send({ target, notification: told }) {
      const notification = linkedNotification(told, deps.ui);
      if ('webhook' in target) await postToWebhook(target.webhook, notification);
      else writeToLog(notification);
    },
  };
};
