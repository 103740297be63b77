import { expect, test } from '@jest/globals';
import { createProbeCounter, readProgress } from '../../../activities/traffic/probe-counter.ts';
import { WatchObservation } from '../../../client/run-view.ts';

test.each([{}, { versionHeader: 'X-Version' }])(
  'what a prober reports with its heartbeat is what the client reads, with %j',
  (settings) => {
    const counter = createProbeCounter(
      { stopAtFailures: 10, ...settings },
      readProgress(undefined),
    );
    counter.add({ status: 200, text: '200', version: '1', latencyMs: 2 });
    counter.add({ status: 500, text: '500 broken', version: '2', latencyMs: 3 });
    const reported: unknown = JSON.parse(JSON.stringify(counter.progress(1_500)));
    const seen = WatchObservation.parse(reported);
    expect(seen).toEqual(reported);
    expect(seen).toMatchObject({ samples: 2, failures: 1, lastFailure: '500 broken' });
    expect(seen.versions?.length).toBe('versionHeader' in settings ? 2 : undefined);
  },
);
