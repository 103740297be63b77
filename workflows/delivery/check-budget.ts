import { budgetWarning } from '../../domain/delivery/exposure-budget.ts';
import { filledIn, unknownNames } from '../../domain/delivery/metric-query.ts';
import { refuseInput } from '../runtime/failures.ts';
import { queryNamesOf } from './query-names.ts';
import type { ReleaseRun } from './release-run.ts';

/** What the plan says of the budget. */
export const budgetWarnings = ({ input }: ReleaseRun): string[] => {
  const warning = budgetWarning(input);
  return warning === undefined ? [] : [warning];
};

/**
 * Refuses a budget that cannot be watched before anything is planned: a name that nobody fills
 * in, a query that the source refuses, a count that nobody makes.
 */
export const checkBudget = async (run: ReleaseRun): Promise<void> => {
  const { budget, environment } = run.input;
  if (budget === undefined) return;
  const names = { ...queryNamesOf(run), window: '60s' };
  const queries = (['exposedRequests', 'badRequests'] as const).flatMap((field) => {
    const query = budget[field];
    return query === undefined ? [] : [{ field: `budget.${field}`, query }];
  });
  const unknown = queries.flatMap(({ field, query }) =>
    unknownNames(query, names).map((name) => ({ field, reason: `nobody fills in $${name}` })),
  );
  const problems = [...unknown, ...uncounted(run)];
  const found =
    problems.length > 0 || queries.length === 0
      ? problems
      : await run.ports.measurements.check(
          {
            environment,
            metrics: queries.map(({ field, query }) => ({
              field,
              query: filledIn(query, names),
              successCondition: 'size(results) > 0',
            })),
          },
          { summary: 'check the counts of the budget' },
        );
  refuseInput(found);
};

/** The prober counts only while it watches, and only versions that it can tell apart. */
const uncounted = (run: ReleaseRun): { field: string; reason: string }[] => {
  const { maxExposedRequests, exposedRequests, maxBadRequests, badRequests } =
    run.input.budget ?? {};
  const reason = whyUncounted(run);
  if (reason === undefined) return [];
  const fields = [
    ...(maxExposedRequests !== undefined && exposedRequests === undefined
      ? ['budget.maxExposedRequests']
      : []),
    ...(maxBadRequests !== undefined && badRequests === undefined ? ['budget.maxBadRequests'] : []),
  ];
  return fields.map((field) => ({ field, reason }));
};

const whyUncounted = ({
  input: { bake, strategy, versionHeader },
}: ReleaseRun): string | undefined => {
  const hasSteps = 'steps' in strategy && strategy.steps.length > 0;
  if (hasSteps && versionHeader === undefined)
    return 'the prober cannot tell the versions apart: name a query, or the versionHeader';
  return hasSteps || bake !== undefined
    ? undefined
    : 'nobody counts them: name a query, or a bake in which the prober does';
};
