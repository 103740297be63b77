import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createProbes } from '../../../activities/traffic/index.ts';
import type { Probes } from '../../../activities/traffic/port.ts';
import { describeProbes, type ProbeSite } from '../../conformance/probes.ts';
import { createInMemoryProbes } from '../../fakes/in-memory-probes.ts';
import { startSplitter } from './version-splitter.ts';

const siteOf = (probes: Probes, close: () => Promise<void>): ProbeSite => {
  const activity = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return {
    target: { environment: 'staging', service: 'shop', services: [] },
    run: (call) => activity.run(() => call(probes)),
    close,
  };
};

describeProbes('over HTTP', async (versions) => {
  const splitter = await startSplitter(
    versions.map(({ version, share, failureRatio }) => ({
      version,
      share,
      answer: (response, number) => {
        const fails = Math.round(number * failureRatio) > Math.round((number - 1) * failureRatio);
        response.writeHead(fails ? 500 : 200).end();
      },
    })),
  );
  const traffic = { url: splitter.entry.url };
  const probes = createProbes({
    environments: { environments: { staging: { context: 'c', namespace: 'n', traffic } } },
    resolveClusterIp: () => Promise.resolve(undefined),
  });
  return siteOf(probes, () => splitter.close());
});

describeProbes('in memory', (versions) => {
  const { probes, knobs } = createInMemoryProbes();
  knobs.versions = () => versions;
  knobs.smokeVersion = '1';
  return Promise.resolve(siteOf(probes, () => Promise.resolve()));
});
