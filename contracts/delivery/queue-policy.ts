import { z } from 'zod';
import type { QueuePolicy } from '../../domain/delivery/service-lock.ts';

const policies = ['wait', 'supersede', 'hotfix'] as const satisfies readonly QueuePolicy[];

export const QueuePolicyInput = z
  .enum(policies)
  .default('wait')
  .describe(
    'What to do while another release of the service has the lock. `wait`: first come, first served. `supersede`: refuse the releases that wait already, hotfixes left out, and take their place. `hotfix`: go before all that are none. The release that has the lock is never interrupted; one that only keeps the version before ends that.',
  );
