/** Suffix of the queue on which workflows run. */
const orchestrationSuffix = 'orchestration';

/** Prefix of all task queues unless a worker is configured otherwise. */
export const defaultQueuePrefix = 'holdfast';

/** Task queue of a pool: `<prefix>-<pool>`. */
export const taskQueueOf = (prefix: string, pool: string): string => `${prefix}-${pool}`;

/**
 * Queue of another pool of the same installation. A workflow knows only its own
 * queue; deriving the others from it keeps two installations on one server apart.
 */
export const siblingQueue = (orchestrationQueue: string, pool: string): string =>
  orchestrationQueue.endsWith(`-${orchestrationSuffix}`)
    ? `${orchestrationQueue.slice(0, -orchestrationSuffix.length)}${pool}`
    : taskQueueOf(defaultQueuePrefix, pool);
