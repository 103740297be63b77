import type { SureStop } from '../../domain/delivery/gate.ts';

/** One HTTP request and the answer that it must get. */
export interface SmokeCheck {
  path: string;
  expectStatus: number;
  /** Text that the body must contain. */
  expectBody?: string;
  /** What `versionHeader` of the answer must say. */
  expectVersion?: string;
}

export interface ProbeTarget {
  environment: string;
  service: string;
  /** Kubernetes Services of the release with their port, as the plan names them. */
  services: { name: string; port: number }[];
  /**
   * `preview`: requests go straight to the ClusterIP of the first of `services`, with the Host
   * header that users send, and without the path prefix of the entry. Absent: through the entry
   * of users, as `traffic` of the environment says.
   */
  entry?: 'preview';
  /**
   * Request header by which a gateway sends the requests to the new version. Only through an
   * entry of users that is a gateway; nothing is measured where users reach the Service itself.
   */
  pinnedBy?: { name: string; value: string };
  /** Response header by which the version that answered is told, e.g. `X-Version`. */
  versionHeader?: string;
}

/** What one version answered in a window. */
export interface VersionCounts {
  /**
   * Value of `versionHeader`, at most 100 characters. `''`: the answer had none, or there was no
   * answer. `'other'`: every version after the tenth.
   */
  version: string;
  samples: number;
  failures: number;
  latencyP50Ms: number | null;
  latencyP99Ms: number | null;
}

/**
 * Counts of one window. `samples` 0 is no data, and never a pass. Counts are of all attempts,
 * latencies of the last one only.
 */
export interface ProbeCounts {
  samples: number;
  failures: number;
  latencyP50Ms: number | null;
  latencyP99Ms: number | null;
  /** The failures ended the window before its time. */
  endedEarly?: true;
  /** Answer of the last failed request, shortened. */
  lastFailure: string | null;
  /** By version, in the order of their first answers; only with `versionHeader`. */
  versions?: VersionCounts[];
}

/** `version`: what `versionHeader` of the answer said; absent where it said nothing. */
export interface SmokeResult {
  check: SmokeCheck;
  passed: boolean;
  answer: string;
  version?: string;
}

/**
 * `measured: false`: the environment declares that its pods carry no traffic (`traffic: none`),
 * or that the prober cannot reach a preview (`preview: none`), which the evidence then says.
 */
export type SmokeOutcome =
  { measured: true; checks: SmokeResult[] } | { measured: false; reason: string };

export type WatchOutcome =
  { measured: true; counts: ProbeCounts } | { measured: false; reason: string };

/** Requests for one window. */
export interface WatchRequest extends ProbeTarget {
  path: string;
  /** At most 1 800 000. */
  windowMs: number;
  /** A worker keeps up with 500, half of them over new connections, in a third of a core. */
  requestsPerSecond: number;
  /** Ends the window as soon as this many requests have failed. */
  stopAtFailures: number;
  /**
   * Ends the window as soon as this many requests have failed that `version` answered; needs
   * `versionHeader`. Use it to react to a new version that has a small share of the traffic, and
   * keep `stopAtFailures` beside it: what hangs or refuses connections tells no version.
   */
  stopAtFailuresOf?: { version: string; failures: number };
  /**
   * Ends the window as soon as its answers, with the `earlier` ones, prove a larger share of
   * failures than this; of the version of `stopAtFailuresOf` where there is one.
   */
  stopWhenSure?: SureStop;
  /**
   * Share of the requests that open a connection of their own, 0–100; 50 if absent. The others
   * use kept connections, which a gateway may treat differently. Both kinds reach every version,
   * also where requests are dealt out in strict turns. Use 100 to measure a share where each
   * connection, not each request, is given to a version, as behind a ClusterIP.
   */
  newConnectionPercent?: number;
}

/** One HTTP request to somewhere else. */
export interface UrlCheck extends Omit<SmokeCheck, 'path'> {
  url: string;
}

/** Requests to a service, as users send them. Activity types are `probes.<verb>`. */
export interface Probes {
  /** Sends each check until it passes or `deadlineMs` is over. */
  smoke(request: ProbeTarget & { checks: SmokeCheck[]; deadlineMs: number }): Promise<SmokeOutcome>;
  /**
   * Sends a request to an absolute address until it is answered as asked or `deadlineMs` is over;
   * also where pods of the environment carry no traffic.
   */
  reach(request: {
    environment: string;
    check: UrlCheck;
    deadlineMs: number;
  }): Promise<{ passed: boolean; answer: string }>;
  /**
   * Sends requests for `windowMs` and counts; ends early where `stopAtFailures`,
   * `stopAtFailuresOf` or `stopWhenSure` says so. Errors: `INVALID_INPUT` for a longer window or a version that
   * cannot be told, `NO_DATA` where there is nothing to send to.
   */
  watch(request: WatchRequest): Promise<WatchOutcome>;
}
