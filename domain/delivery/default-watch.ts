/** What a stop of a rollout must keep to where the release names no bake of its own. */
export const defaultWatch = {
  path: '/',
  maxFailureRatio: 0.01,
  /** Four failures prove a broken version; at a share of 10 % they are met within a second. */
  requestsPerSecond: 50,
  minSamples: 20,
} as const;
