/** One HTTP request and the answer that it must get. */
export interface SmokeCheck {
  path: string;
  expectStatus: number;
  /** Text that the body must contain. */
  expectBody?: string;
}

export interface ProbeTarget {
  environment: string;
  service: string;
  /** Kubernetes Services of the release with their port, as the plan names them. */
  services: { name: string; port: number }[];
}

/** Counts of one window. `samples` 0 is no data, and never a pass. */
export interface ProbeCounts {
  samples: number;
  failures: number;
  latencyP50Ms: number | null;
  latencyP99Ms: number | null;
  /** Answer of the last failed request, shortened. */
  lastFailure: string | null;
}

/**
 * `not-measured`: the environment declares that it carries no traffic
 * (`traffic: none`), which the evidence then says.
 */
export type SmokeOutcome =
  | { measured: true; checks: { check: SmokeCheck; passed: boolean; answer: string }[] }
  | { measured: false; reason: string };

export type WatchOutcome =
  { measured: true; counts: ProbeCounts } | { measured: false; reason: string };

/** Requests through the real entry of a service. Activity types are `probes.<verb>`. */
export interface Probes {
  /** Sends each check until it passes or `deadlineMs` is over. */
  smoke(request: ProbeTarget & { checks: SmokeCheck[]; deadlineMs: number }): Promise<SmokeOutcome>;
  /**
   * Sends requests for `windowMs` (at most 60 000) and counts. Ends early as soon as
   * `stopAtFailures` requests have failed.
   */
  watch(
    request: ProbeTarget & {
      path: string;
      windowMs: number;
      requestsPerSecond: number;
      stopAtFailures: number;
    },
  ): Promise<WatchOutcome>;
}
