import { createNotifications } from '../../activities/notify/index.ts';
import { activityTypes, type PoolContext, type PoolSetup } from './pool-setup.ts';

/** Tells people and other systems what happened to a run. */
export const notifyPool = ({ log }: PoolContext): PoolSetup => ({
  activities: activityTypes('notifications', createNotifications({ log })),
  maxConcurrentActivityTaskExecutions: 20,
});
