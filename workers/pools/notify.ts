import { createNotifications } from '../../activities/notify/index.ts';
import { activityTypes, type PoolContext, type PoolSetup } from './pool-setup.ts';

/** Tells people and other systems what happened to a run. */
export const notifyPool = ({ log, config, namespace }: PoolContext): PoolSetup => {
  const { temporalUiUrl: url } = config;
  const ui = url === undefined ? undefined : { url, namespace };
  return {
    activities: activityTypes('notifications', createNotifications({ log, ui })),
    maxConcurrentActivityTaskExecutions: 20,
  };
};
