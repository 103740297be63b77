import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { renderDetails } from './details-markdown.ts';

/** What saved views in the Temporal UI filter by. */
export interface Found {
  service?: string;
  environment?: string;
  release?: string;
  /** Coarse, so that an undisturbed run changes it only a few times. */
  stage?: string;
  outcome?: string;
  needsOperator?: boolean;
}

const keywords = ['service', 'environment', 'release', 'stage', 'outcome'] as const;

const keywordKeys = Object.fromEntries(
  keywords.map((name) => [
    name,
    defineSearchAttributeKey(searchAttributes[name].name, SearchAttributeType.KEYWORD),
  ]),
) as Record<(typeof keywords)[number], { name: string; type: 'KEYWORD' }>;

const needsOperatorKey = defineSearchAttributeKey(
  searchAttributes.needsOperator.name,
  SearchAttributeType.BOOL,
);

/** Sets search attributes, each only when it changes: every upsert is a history event. */
export const createSearchView = (): ((found: Found) => void) => {
  const shown = new Map<string, unknown>();
  const isNew = (name: string, value: unknown): boolean =>
    value !== undefined && shown.get(name) !== value;
  return (found) => {
    const updates: SearchAttributeUpdatePair[] = [];
    for (const name of keywords) {
      const value = found[name];
      if (value === undefined || !isNew(name, value)) continue;
      updates.push({ key: keywordKeys[name], value });
      shown.set(name, value);
    }
    if (found.needsOperator !== undefined && isNew('needsOperator', found.needsOperator)) {
      updates.push({ key: needsOperatorKey, value: found.needsOperator });
      shown.set('needsOperator', found.needsOperator);
    }
    if (updates.length > 0) upsertSearchAttributes(updates);
  };
};

/** Shows the progress on top of the run in the Temporal UI; costs no history. */
export const showDetails = (progress: DeployServiceProgress): void => {
  setCurrentDetails(renderDetails(progress, workflowInfo().workflowId));
};
