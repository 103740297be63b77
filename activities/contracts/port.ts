/** Which column of the timeout table the workflow uses; a worker setting. */
export type TimeoutProfile = 'standard' | 'test';

/** Activity type `contracts.parse`, always a local activity and the first of a run. */
export interface Contracts {
  /**
   * Validates a workflow's input and applies defaults, outside the workflow sandbox.
   * @throws INVALID_INPUT with every field and reason
   */
  parse(request: {
    /** Catalogue id, e.g. `DEL-04`. */
    contract: string;
    value: unknown;
  }): Promise<{ value: unknown; timeoutProfile: TimeoutProfile }>;
}
