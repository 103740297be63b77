import type { WorkflowHandle } from '@temporalio/client';
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js';

/** The first argument of a run, from the first event of its history: no worker is asked. */
export const readRunInput = async (handle: WorkflowHandle): Promise<unknown> => {
  const { workflowId, client } = handle;
  const { runId } = await handle.describe();
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const { loadedDataConverter, namespace } = client.options;
  return decodeFromPayloadsAtIndex(loadedDataConverter, 0, started?.input?.payloads ?? null, {
    type: 'workflow',
    namespace,
    workflowId,
  });
};
