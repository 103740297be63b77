import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { catalogue } from '../contracts/catalogue.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import { EnvironmentName, ServiceName } from '../contracts/shared/names.ts';
import { toOpsError } from './error-translation.ts';
import { parseInput } from './input-validation.ts';

/** Which runs are meant; without a field, all. */
export interface RunFilter {
  /** Workflow type, e.g. `deployService`. */
  workflow?: string;
  environment?: string;
  service?: string;
  /** Only runs that wait for an operator. */
  needsOperator?: boolean;
  /** At most this many, newest first. */
  limit?: number;
}

/** A run as a list shows it. */
export interface RunSummary {
  workflowId: string;
  runId: string;
  workflow: string;
  service: string | null;
  environment: string | null;
  release: string | null;
  stage: string | null;
  outcome: string | null;
  /** Temporal's word for the run, in lower case, e.g. `running`, `completed`, `terminated`. */
  status: string;
  startedAt: string;
  endedAt: string | null;
}

const defaultLimit = 20;

/** @internal */
export const listRuns = async (client: Client, filter: RunFilter): Promise<RunSummary[]> => {
  const runs: RunSummary[] = [];
  const limit = filter.limit ?? defaultLimit;
  try {
    const pages = client.workflow.list({ query: queryOf(filter), pageSize: Math.min(limit, 1000) });
    for await (const run of pages) {
      runs.push(summaryOf(run));
      if (runs.length >= limit) break;
    }
  } catch (error) {
    throw toOpsError(error);
  }
  return runs;
};

const queryOf = ({ workflow, environment, service, needsOperator }: RunFilter): string => {
  const types = catalogue.map((contract) => contract.workflow);
  const wanted = types.filter((type) => workflow === undefined || type === workflow);
  const conditions = [`WorkflowType IN (${wanted.map((type) => `'${type}'`).join(', ')})`];
  // Names are checked against their pattern, which has no quote in it.
  if (environment !== undefined) {
    const name = parseInput(EnvironmentName, environment);
    conditions.push(`${searchAttributes.environment.name} = '${name}'`);
  }
  if (service !== undefined) {
    conditions.push(`${searchAttributes.service.name} = '${parseInput(ServiceName, service)}'`);
  }
  if (needsOperator === true) conditions.push(`${searchAttributes.needsOperator.name} = true`);
  return conditions.join(' AND ');
};

const summaryOf = (run: WorkflowExecutionInfo): RunSummary => {
  const keyword = (key: 'service' | 'environment' | 'release' | 'stage' | 'outcome') =>
    run.typedSearchAttributes.get(
      defineSearchAttributeKey(searchAttributes[key].name, 'KEYWORD'),
    ) ?? null;
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    workflow: run.type,
    service: keyword('service'),
    environment: keyword('environment'),
    release: keyword('release'),
    stage: keyword('stage'),
    outcome: keyword('outcome'),
    status: run.status.name.toLowerCase(),
    startedAt: run.startTime.toISOString(),
    endedAt: run.closeTime?.toISOString() ?? null,
  };
};
