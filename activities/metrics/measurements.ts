import { errors, type CodedError } from '../../contracts/errors.ts';
import { codedErrorOf } from '../coded-failure.ts';
import { compileCondition, conditionProblem } from './cel-condition.ts';
import { watchCounts } from './count-watch.ts';
import type {
  Conditions,
  Measurement,
  Measurements,
  MeasureRequest,
  MetricsSource,
  QueryOutcome,
} from './port.ts';

/** Measures by whatever source there is. */
export const createMeasurements = ({ source }: { source: MetricsSource }): Measurements => ({
  async measure(request) {
    try {
      return decide(request, await source.query(request));
    } catch (error) {
      const coded = codedErrorOf(error);
      if (coded === undefined) throw error;
      return failure(coded);
    }
  },

  async check({ environment, metrics }) {
    const problems = metrics.map(async ({ field, query, ...conditions }) => [
      ...conditionProblems(field, conditions),
      ...(await queryProblems(field, () => source.query({ environment, query }))),
    ]);
    return (await Promise.all(problems)).flat();
  },

  watchCounts: (request) => watchCounts(source, request),
});

const failure = (error: CodedError): Measurement => ({
  state: 'error',
  error,
  retryable: errors[error.code].retryable,
});

const conditionNames = ['successCondition', 'failureCondition'] as const;
type ConditionName = (typeof conditionNames)[number];

interface Problem {
  field: string;
  reason: string;
}

const conditionProblems = (field: string, conditions: Conditions): Problem[] => {
  const given = conditionNames.filter((name) => conditions[name] !== undefined);
  if (given.length === 0) {
    return [{ field, reason: 'needs a successCondition or a failureCondition' }];
  }
  return given.flatMap((name) => {
    const reason = conditionProblem(conditions[name] ?? '');
    return reason === undefined ? [] : [{ field: `${field}.${name}`, reason }];
  });
};

/** Asks once; that is what every source can do to tell whether it understands a query. */
const queryProblems = async (field: string, ask: () => Promise<unknown>): Promise<Problem[]> => {
  try {
    await ask();
    return [];
  } catch (error) {
    const coded = codedErrorOf(error);
    if (coded?.code === 'METRICS_QUERY_INVALID') {
      return [{ field: `${field}.query`, reason: coded.message }];
    }
    // What it could not carry out now, it has understood.
    if (coded?.code === 'METRICS_QUERY_FAILED') return [];
    throw error;
  }
};

const decide = (request: MeasureRequest, outcome: QueryOutcome): Measurement => {
  if (outcome.state === 'no-data') return outcome;
  const { atMs, warnings } = outcome;
  const values = outcome.state === 'value' ? [outcome.value] : outcome.values;
  const verdict = judge(request, values);
  if (typeof verdict !== 'string') return failure(verdict);
  const missing = outcome.state === 'value' ? 0 : outcome.withoutNumber;
  // What is proven stays proven, but half of the numbers prove no success.
  if (missing > 0 && verdict !== 'failed') {
    const of = String(values.length + missing);
    return { state: 'no-data', reason: `${String(missing)} of ${of} series have no number.` };
  }
  return { state: verdict, values, atMs, warnings };
};

type Verdict = 'success' | 'failed' | 'inconclusive';

const judge = (conditions: Conditions, values: readonly number[]): Verdict | CodedError => {
  const failed = answerOf('failureCondition', conditions, values);
  if (isCodedError(failed)) return failed;
  if (failed === true) return 'failed';
  const succeeded = answerOf('successCondition', conditions, values);
  if (isCodedError(succeeded)) return succeeded;
  if (succeeded === true) return 'success';
  if (failed === undefined && succeeded === undefined) return noCondition;
  if (failed === undefined) return 'failed';
  return succeeded === undefined ? 'success' : 'inconclusive';
};

const isCodedError = (value: boolean | CodedError | undefined): value is CodedError =>
  typeof value === 'object';

const noCondition: CodedError = {
  code: 'INVALID_INPUT',
  message: 'The metric has no condition; nothing was decided.',
  subject: 'successCondition',
};

/** Undefined where the condition is not given. */
const answerOf = (
  name: ConditionName,
  conditions: Conditions,
  values: readonly number[],
): boolean | CodedError | undefined => {
  const text = conditions[name];
  if (text === undefined) return undefined;
  const cannot = (reason: string): CodedError => ({
    code: 'INVALID_INPUT',
    message: `${name}: ${reason}; nothing was decided.`,
    subject: name,
  });
  const condition = compileCondition(text);
  if ('problem' in condition) return cannot(condition.problem);
  if (condition.needsOneResult && values.length !== 1) {
    const count = String(values.length);
    return cannot(`speaks of one result, and the query gives ${count}; aggregate, or use results`);
  }
  const answer = condition.of(values);
  return 'problem' in answer ? cannot(answer.problem) : answer.holds;
};
