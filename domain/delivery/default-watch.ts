/** What a stop of a rollout must keep to where the release names no bake of its own. */
export const defaultWatch = {
  path: '/',
  maxFailureRatio: 0.01,
  requestsPerSecond: 20,
  minSamples: 20,
} as const;
