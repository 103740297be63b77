import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { locateTool } from '../../sandbox/tools/locate.ts';

/** The server that start-temporal.ts started for all test files of this run. */
export const connectToTemporal = async (): Promise<TestWorkflowEnvironment> => {
  const address = process.env['HOLDFAST_TEST_TEMPORAL'];
  if (address === undefined) throw new Error('the global set-up started no Temporal server');
  return TestWorkflowEnvironment.createFromExistingServer({ address });
};

/** A server of the caller's own, whose clock runs ahead while nobody works. */
export const startTimeSkipping = async (): Promise<TestWorkflowEnvironment> => {
  const { path } = await locateTool('temporal-test-server', { onProgress: () => undefined });
  const env = await startWithin(path);
  const attributes = Object.values(searchAttributes).map(
    ({ name, type }) => [name, encodeSearchAttributeIndexedValueType(type) ?? 0] as const,
  );
  await env.connection.operatorService.addSearchAttributes({
    namespace: env.namespace ?? 'default',
    searchAttributes: Object.fromEntries(attributes),
  });
  return env;
};

/** The SDK ends a server that does not answer within five seconds; a busy machine needs longer. */
const startWithin = async (path: string): Promise<TestWorkflowEnvironment> => {
  for (;;) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({
        server: { executable: { type: 'existing-path', path } },
      });
    } catch (error) {
      if (!String(error).includes('did not start within')) throw error;
    }
  }
};
