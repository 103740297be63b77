import type { ReleaseFacts } from './release-facts.ts';

type Ended = Pick<ReleaseFacts, 'result' | 'refusal' | 'progress'>;

/** How a release ended; one that ended without a result was refused. */
export const outcomeOf = ({ result, progress }: Ended): string =>
  result?.outcome ?? progress?.outcome ?? 'refused';

export interface Failure {
  code: string;
  message: string;
  next?: string | undefined;
}

/** Why it ended as it did; nothing where it is deployed. */
export const failureOf = ({ result, refusal, progress }: Ended): Failure | undefined =>
  result?.failure ?? refusal ?? progress?.failure;

export const failedStepOf = ({ result, progress }: Ended): string | undefined =>
  result?.failedStep ?? progress?.failedStep;
