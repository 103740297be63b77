import type { ReleaseReport, TrafficSample } from '../../../client/cli/report/release-report.ts';
import type { DeployServiceResult } from '../../../contracts/delivery/deploy-service.ts';
import { ago, facts, nowMs, progress, result } from './known-releases.ts';

const minuteMs = 60_000;
const startMs = ago(30);
const at = (minutes: number): number => startMs + minutes * minuteMs;

/** One minute of 20 requests a second, shared by weight; the new version is a little slower. */
const sample = (minute: number, weightPercent: number, failures = 0): TrafficSample => {
  const answers = 1_200;
  const fresh = Math.round((answers * weightPercent) / 100);
  const wave = minute % 3;
  const old = { version: '2.4.0', samples: answers - fresh, failures: 0 };
  return {
    atMs: at(minute),
    gate: `watch at ${String(weightPercent)} %`,
    weightPercent,
    versions: [
      { ...old, latencyP50Ms: 8 + wave / 2, latencyP99Ms: 31 + 4 * wave },
      {
        ...{ version: '2.4.1', samples: fresh, failures },
        latencyP50Ms: 9 + wave / 2,
        latencyP99Ms: 38 + 3 * wave + failures,
      },
    ],
  };
};

const stop = (from: number, weightPercent: number, failures: readonly number[]): TrafficSample[] =>
  failures.map((failed, index) => sample(from + index, weightPercent, failed));

export const samples: TrafficSample[] = [
  ...stop(3, 10, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
  ...stop(14, 50, [0, 1, 4, 12]),
];

/** A canary that failed at 50 % and was put back. */
export const putBack: DeployServiceResult = {
  ...result,
  outcome: 'restored-exactly',
  failedStep: 'watch at 50 %',
  failure: {
    code: 'BAKE_FAILED',
    message: 'watch at 50 %: 17 of 2400 requests failed, more than 0.50 %',
    next: 'Read the counts in the evidence, repair the version, deploy again.',
  },
  compensations: [
    { step: 'shift shop', outcome: 'undone', note: 'all traffic goes to shop' },
    { step: 'create Deployment/shop-2', outcome: 'undone', note: 'deleted' },
  ],
  gates: [
    ...result.gates,
    {
      name: 'watch at 50 %',
      verdict: 'fail',
      note: '17 of 2400 requests failed, more than 0.50 %; last answer: 500 Internal Server Error',
      samples: 2_400,
      failures: 17,
    },
  ],
  proof: { ...result.proof, direction: 'back' },
  evidence: { ...result.evidence, preImageDigest: `sha256:${'c'.repeat(64)}`, samples },
};

const moments: readonly (readonly [number, string])[] = [
  [0, 'validate began'],
  [0, 'validate: done, asked for by ana@example.com: summer catalogue'],
  [1, 'preview: done, 1 of 1 passed'],
  [2, 'shift to 10 %: done, 10 % set, 10.1 % measured'],
  [12.5, 'watch at 10 %: done, 1 of 1200 requests failed'],
  [13, 'shift to 50 %: done, 50 % set, 49.8 % measured'],
  [17.2, 'watch at 50 %: failed, 17 of 2400 requests failed'],
  [17.2, 'unwind began'],
  [18, 'unwind: done, restored-exactly'],
];

export const report = (changes: Partial<ReleaseReport> = {}): ReleaseReport => ({
  facts: facts({
    executionStatus: 'COMPLETED',
    startedAtMs: startMs,
    endedAtMs: nowMs,
    progress: progress({ status: 'finished', outcome: 'restored-exactly' }),
    identities: result.evidence.identities,
    result: putBack,
  }),
  timeline: moments.map(([minute, what]) => ({ atMs: at(minute), what })),
  url: 'http://127.0.0.1:8233/namespaces/default/workflows/x',
  ...changes,
});
