/**
 * Search attributes that every use case sets, so that one saved view in the
 * Temporal UI finds a run of any kind. Zod-free: workflows import this at run time.
 * `temporal-dev.yaml` registers the same names; a test compares the two.
 */
export const searchAttributes = {
  service: { name: 'HoldfastService', type: 'KEYWORD' },
  environment: { name: 'HoldfastEnvironment', type: 'KEYWORD' },
  release: { name: 'HoldfastRelease', type: 'KEYWORD' },
  stage: { name: 'HoldfastStage', type: 'KEYWORD' },
  outcome: { name: 'HoldfastOutcome', type: 'KEYWORD' },
  needsOperator: { name: 'HoldfastNeedsOperator', type: 'BOOL' },
} as const;

export type SearchAttributeKey = keyof typeof searchAttributes;
