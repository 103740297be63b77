import { deviations, goodVersion } from './demo-chapters.ts';
import type { Story } from './demo-story.ts';
import { requestsPerSecond, timeToSafeMs } from './traffic-counts.ts';

/** The figures of a story, for a program that reads them. Traffic that was not measured is `null`. */
export interface StoryFigures {
  asTold: boolean;
  elapsedMs: number;
  untold: string[];
  chapters: {
    version: string;
    outcome: string;
    elapsedMs: number;
    requests: number | null;
    requestsPerSecond: number | null;
    failedRequests: number | null;
    timeToSafeMs: number | null;
    deviations: string[];
    url: string | null;
  }[];
}

export const storyFigures = (
  { records, untold }: Story,
  whole: { asTold: boolean; elapsedMs: number },
): StoryFigures => ({
  asTold: whole.asTold,
  elapsedMs: Math.round(whole.elapsedMs),
  untold,
  chapters: records.map((record) => {
    const { chapter, result, traffic, elapsedMs, url } = record;
    return {
      version: chapter.version,
      outcome: result.outcome,
      elapsedMs: Math.round(elapsedMs),
      requests: traffic?.sent ?? null,
      requestsPerSecond: traffic === null ? null : Math.round(requestsPerSecond(traffic)),
      failedRequests: traffic?.failed ?? null,
      timeToSafeMs: traffic === null ? null : timeToSafeMs(traffic, goodVersion),
      deviations: deviations(record),
      url: url ?? null,
    };
  }),
});
