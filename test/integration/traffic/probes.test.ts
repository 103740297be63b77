import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createProbes } from '../../../activities/traffic/index.ts';
import type { Probes } from '../../../activities/traffic/port.ts';
import { describeProbes, type ProbeSite } from '../../conformance/probes.ts';
import { createInMemoryProbes } from '../../fakes/in-memory-probes.ts';
import { startSplitter } from './version-splitter.ts';

const siteOf = (
  probes: Probes,
  { close, ...elsewhere }: Pick<ProbeSite, 'close' | 'elsewhere' | 'breakElsewhere'>,
): ProbeSite => {
  const activity = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return {
    target: { environment: 'staging', service: 'shop', services: [] },
    run: (call) => activity.run(() => call(probes)),
    close,
    ...elsewhere,
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
  const bank = { status: 200 };
  const server = createServer((_request, response) => response.writeHead(bank.status).end('bank'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return siteOf(probes, {
    elsewhere: `http://127.0.0.1:${String(port)}/ping?deep=1`,
    breakElsewhere: async () => {
      bank.status = 500;
      return Promise.resolve();
    },
    close: async () => {
      server.close();
      await splitter.close();
    },
  });
});

describeProbes('in memory', (versions) => {
  const { probes, knobs } = createInMemoryProbes();
  knobs.versions = () => versions;
  knobs.smokeVersion = '1';
  const breakElsewhere = (): Promise<void> => {
    knobs.urlsPass = false;
    return Promise.resolve();
  };
  const elsewhere = 'https://bank.example/ping';
  return Promise.resolve(
    siteOf(probes, { elsewhere, breakElsewhere, close: () => Promise.resolve() }),
  );
});
