import type { ApplicationFailure } from '@temporalio/common';
import type { Fate, FaultProxy, ProxiedRequest } from '../../kill/fault-proxy.ts';

/** Does something to the first request that fits, and forwards all others. */
export const spoilOnce = (
  proxy: FaultProxy,
  fits: (request: ProxiedRequest) => boolean,
  fate: Fate,
): { seen: () => number } => {
  let seen = 0;
  proxy.decide = (request) => {
    if (!fits(request)) return { kind: 'forward' };
    seen += 1;
    return seen === 1 ? fate : { kind: 'forward' };
  };
  return { seen: () => seen };
};

/** Tries until it succeeds, as Temporal would. */
export const retried = async <T>(run: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if ((error as ApplicationFailure).nonRetryable !== false) throw error;
    }
  }
};
