export { createNotifications } from './target-notifications.ts';
export type { NotificationLog } from './log-notifier.ts';
