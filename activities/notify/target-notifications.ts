import { createLogNotifier, type NotificationLog } from './log-notifier.ts';
import type { Notifications } from './port.ts';
import { createWebhookNotifier } from './webhook-notifier.ts';

/** Notifications that go where each target says. */
export const createNotifications = (deps: { log: NotificationLog }): Notifications => {
  const writeToLog = createLogNotifier(deps.log);
  const postToWebhook = createWebhookNotifier();
  return {
    async send({ target, notification }) {
      if ('webhook' in target) await postToWebhook(target.webhook, notification);
      else writeToLog(notification);
    },
  };
};
