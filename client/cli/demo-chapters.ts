import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import { isExact } from '../../domain/delivery/proof.ts';
import { requestsPerSecond, type TrafficCounts } from './traffic-counts.ts';

/** One deployment of the story and how it must end. */
export interface Chapter {
  /** Version of the sample service; its directory below `docs/examples/shop`. */
  version: string;
  /** What is about to happen. */
  tells: string;
  outcome: DeployServiceResult['outcome'];
  /** Requests that may fail: none, or at least one because users do meet the bad version. */
  failedRequests: 'none' | 'some' | 'not-counted';
  /** Only traffic shows that this version is bad. */
  needsTraffic: boolean;
  /** Its pods run and never become ready. */
  neverReady: boolean;
}

export const chapters: readonly Chapter[] = [
  {
    version: 'v1',
    tells: 'Version 1 is deployed for the first time.',
    outcome: 'deployed',
    failedRequests: 'not-counted',
    needsTraffic: false,
    neverReady: false,
  },
  {
    version: 'v2',
    tells: 'Version 2 replaces version 1 while requests go on.',
    outcome: 'deployed',
    failedRequests: 'none',
    needsTraffic: false,
    neverReady: false,
  },
  {
    version: 'v3a',
    tells: 'Version 3a never becomes ready: it must be put back before anyone notices.',
    outcome: 'restored-exactly',
    failedRequests: 'none',
    needsTraffic: false,
    neverReady: true,
  },
  {
    version: 'v3b',
    tells: 'Version 3b becomes ready and answers errors: the bake must find it and put it back.',
    outcome: 'restored-exactly',
    failedRequests: 'some',
    needsTraffic: true,
    neverReady: false,
  },
];

/** What `X-Version` says while the version is live that the bad ones are put back to. */
export const goodVersion = '2';

/** How a chapter went. */
export interface ChapterRecord {
  chapter: Chapter;
  result: DeployServiceResult;
  /** `null` where nothing was measured. */
  traffic: TrafficCounts | null;
  /** With `--secure`: everyone was proven, the plan was approved, and Temporal stores nothing in clear. */
  isProven: boolean | null;
  elapsedMs: number;
  url: string | undefined;
}

/** The stream of requests that the story promises. */
export const promisedRequestsPerSecond = 200;

/** What did not go as told; nothing if all did. */
export const deviations = ({ chapter, result, traffic, isProven }: ChapterRecord): string[] => {
  const found: string[] = [];
  if (result.outcome !== chapter.outcome) {
    found.push(`it ended ${result.outcome}, not ${chapter.outcome}`);
  }
  if (result.proof.rows.length === 0) found.push('the proof is empty');
  if (!isExact(result.proof)) found.push('the proof is not exact');
  if (isProven === false) found.push('not everyone was proven, or something is stored in clear');
  return traffic === null ? found : [...found, ...trafficDeviations(chapter, traffic)];
};

const trafficDeviations = (chapter: Chapter, traffic: TrafficCounts): string[] => {
  if (chapter.failedRequests === 'not-counted') return [];
  const found: string[] = [];
  const rate = requestsPerSecond(traffic);
  if (rate < promisedRequestsPerSecond) {
    found.push(
      `only ${String(Math.floor(rate))} requests/s were sent, which proves less than promised`,
    );
  }
  if (chapter.failedRequests === 'none' && traffic.failed > 0) {
    found.push(`${String(traffic.failed)} requests failed: ${traffic.failureExample ?? ''}`);
  }
  if (chapter.failedRequests === 'some' && traffic.failed === 0) {
    found.push('no request failed, so the bad version was never seen');
  }
  return found;
};
