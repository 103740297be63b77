import type { QueryNames } from '../../domain/delivery/metric-query.ts';
import { filledIn, unknownNames } from '../../domain/delivery/metric-query.ts';
import { refuseInput } from '../runtime/failures.ts';
import type { ReleaseRun } from './release-run.ts';

/** What queries of this release may leave to be filled in. */
export const queryNamesOf = ({ input, plan }: ReleaseRun): QueryNames => {
  const { service, environment, release } = input;
  const rolled = plan?.changes.find(({ rollout }) => rollout !== undefined)?.object.name;
  const stable = plan?.candidate?.stable.name ?? rolled ?? service;
  const candidate = plan?.candidate?.workload.name ?? stable;
  return { service, environment, release, stable, candidate };
};

/**
 * Refuses metrics that cannot be measured before anything is planned: a name that nobody fills
 * in, a condition that does not compile, a query that the source refuses.
 */
export const checkAnalysis = async (run: ReleaseRun): Promise<void> => {
  const { analysis, drain, environment } = run.input;
  if (analysis === undefined && drain?.openConnections === undefined) return;
  const names = queryNamesOf(run);
  const ofDrain = unknownNames(drain?.openConnections ?? '', { ...names, workload: '' });
  const problems = (analysis?.metrics ?? []).flatMap((metric, index) => {
    const isComparison = 'compare' in metric;
    const field = `analysis.metrics[${index}].${isComparison ? 'compare' : 'query'}`;
    const query = isComparison ? metric.compare : metric.query;
    const known = isComparison ? { ...names, workload: names.stable } : names;
    return unknownNames(query, known).map((name) => unfilled(field, name));
  });
  problems.push(...ofDrain.map((name) => unfilled(drainField, name)));
  const found = problems.length > 0 ? problems : await askSource(run, environment, names);
  refuseInput(found);
};

const drainField = 'drain.openConnections';

const unfilled = (field: string, name: string): { field: string; reason: string } => ({
  field,
  reason: `nobody fills in $${name}`,
});

const askSource = (
  run: ReleaseRun,
  environment: string,
  names: QueryNames,
): Promise<{ field: string; reason: string }[]> => {
  const metrics = (run.input.analysis?.metrics ?? []).map((metric, index) => {
    const field = `analysis.metrics[${index}]`;
    if ('compare' in metric) {
      const query = filledIn(metric.compare, { ...names, workload: names.stable });
      return { field, query, successCondition: 'size(results) > 0' };
    }
    const { successCondition, failureCondition } = metric;
    return {
      field,
      query: filledIn(metric.query, names),
      ...(successCondition === undefined ? {} : { successCondition }),
      ...(failureCondition === undefined ? {} : { failureCondition }),
    };
  });
  const { openConnections } = run.input.drain ?? {};
  if (openConnections !== undefined) {
    const query = filledIn(openConnections, { ...names, workload: names.stable });
    metrics.push({ field: drainField, query, successCondition: 'size(results) > 0' });
  }
  return run.ports.measurements.check({ environment, metrics }, { summary: 'check the metrics' });
};
