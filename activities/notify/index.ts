export { createNotifications } from './target-notifications.ts';
