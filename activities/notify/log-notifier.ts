import type { Notification } from './port.ts';

/** The part of a pino logger that a notification needs. */
export interface NotificationLog {
  info(fields: object, message: string): void;
}

/** Writes notifications to the log of the worker. */
export const createLogNotifier =
  (log: NotificationLog) =>
  (notification: Notification): void => {
    log.info({ notification }, notification.text);
  };
