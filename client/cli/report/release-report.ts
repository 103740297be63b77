import type { DeployServiceResult } from '../../../contracts/delivery/deploy-service.ts';
import type { RunMoment } from '../../run-handle.ts';
import type { ReleaseFacts } from '../explain/release-facts.ts';

/** Everything that a report of a finished release is made of. */
export interface ReleaseReport {
  facts: ReleaseFacts;
  /** `null` where no worker told it. */
  timeline: readonly RunMoment[] | null;
  /** The run in the Temporal UI. */
  url: string | null;
}

export type TrafficSample = NonNullable<DeployServiceResult['evidence']['samples']>[number];

export type Gate = DeployServiceResult['gates'][number];

export const samplesOf = ({ facts }: ReleaseReport): readonly TrafficSample[] =>
  facts.result?.evidence.samples ?? [];

export const gatesOf = ({ facts }: ReleaseReport): readonly Gate[] =>
  facts.result?.gates ?? facts.progress?.gates ?? [];
