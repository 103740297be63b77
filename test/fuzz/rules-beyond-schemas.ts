/**
 * What is refused although the JSON Schema takes it: rules between fields, which JSON Schema cannot
 * say or could say only in a way that no reader understands. Each is described at its field.
 */
export interface RuleBeyondSchema {
  rule: string;
  isBroken: (value: unknown) => boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : []);

const within = (value: unknown, ...path: string[]): unknown =>
  path.reduce((part, name) => fieldsOf(part)[name], value);

const metricsNeedConditions: RuleBeyondSchema = {
  rule: 'a metric needs a successCondition or a failureCondition',
  isBroken: (value) =>
    listOf(within(value, 'analysis', 'metrics')).some(
      ({ query, successCondition, failureCondition }) =>
        query !== undefined && successCondition === undefined && failureCondition === undefined,
    ),
};

const alertsHaveNames: RuleBeyondSchema = {
  rule: 'no two alerts have the same name',
  isBroken: (value) => {
    const names = listOf(within(value, 'alerts')).map(({ name }) => name);
    return new Set(names).size < names.length;
  },
};

const budgetsHaveLimits: RuleBeyondSchema = {
  rule: 'a budget needs a limit, and each of its queries needs its own',
  isBroken: (value) => {
    const given = within(value, 'budget');
    const { maxExposedRequests, maxBadRequests, exposedRequests, badRequests } = fieldsOf(given);
    if (given === undefined) return false;
    if (exposedRequests !== undefined && maxExposedRequests === undefined) return true;
    if (badRequests !== undefined && maxBadRequests === undefined) return true;
    return maxExposedRequests === undefined && maxBadRequests === undefined;
  },
};

const weightsRise: RuleBeyondSchema = {
  rule: 'the weights of a strategy rise from step to step',
  isBroken: (value) => {
    const weights = listOf(within(value, 'strategy', 'steps')).map(({ weightPercent }) =>
      Number(weightPercent),
    );
    return weights.some((weight, index) => index > 0 && weight <= (weights[index - 1] ?? 0));
  },
};

const stepsNeedRoute: RuleBeyondSchema = {
  rule: 'steps of a blue-green strategy need a route',
  isBroken: (value) => {
    const { type, route, steps } = fieldsOf(within(value, 'strategy'));
    return type === 'blue-green' && route === undefined && listOf(steps).length > 0;
  },
};

const oneWayToSignIn: RuleBeyondSchema = {
  rule: 'a Prometheus takes a tokenFile or basicAuth, not both',
  isBroken: (value) =>
    Object.values(fieldsOf(within(value, 'environments'))).some((environment) => {
      const { tokenFile, basicAuth } = fieldsOf(within(environment, 'metrics', 'prometheus'));
      return tokenFile !== undefined && basicAuth !== undefined;
    }),
};

const grantsOf = (value: unknown): Fields[] => [
  ...listOf(within(value, 'give')),
  ...listOf(within(value, 'remove')),
];

const grantsHaveOneHolder: RuleBeyondSchema = {
  rule: 'a role is given to a user or to a group, not to both',
  isBroken: (value) =>
    grantsOf(value).some(({ user, group }) => (user === undefined) === (group === undefined)),
};

const changesChangeSomething: RuleBeyondSchema = {
  rule: 'a change gives or takes away something; a certification does neither',
  isBroken: (value) => (within(value, 'certify') === true) === grantsOf(value).length > 0,
};

const brokenGlassGives: RuleBeyondSchema = {
  rule: 'breaking glass gives roles and takes none away',
  isBroken: (value) =>
    within(value, 'breakGlass') === true &&
    (listOf(within(value, 'give')).length === 0 || listOf(within(value, 'remove')).length > 0),
};

const longestGrantMs = 366 * 86_400_000;
const unitsMs: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 },
};

const msOf = (length: unknown): number | undefined => {
  if (typeof length !== 'string') return undefined;
  const [, amount, unit = ''] = /^(\d+)(\D+)$/.exec(length) ?? [];
  return Number(amount) * (unitsMs[unit] ?? 0);
};

const grantsEndInTime: RuleBeyondSchema = {
  rule: 'a role is given for more than no time and for 366 days at the most',
  isBroken: (value) =>
    listOf(within(value, 'give')).some(({ for: length }) => {
      const forMs = msOf(length) ?? 1;
      return forMs < 1 || forMs > longestGrantMs;
    }),
};

const grantsEndTogether: RuleBeyondSchema = {
  rule: 'all that a change gives ends at the same time',
  isBroken: (value) => {
    const ends = listOf(within(value, 'give')).map((grant) => grant['forMs'] ?? msOf(grant['for']));
    return new Set(ends).size > 1;
  },
};

const ofFiles = [metricsNeedConditions, alertsHaveNames, budgetsHaveLimits];

/** For the input of `deployService`. */
export const rulesOfReleases: readonly RuleBeyondSchema[] = [
  ...ofFiles,
  weightsRise,
  stepsNeedRoute,
];

/** For `holdfast.yaml`; what is between its fields and the input's is checked when it is released. */
export const rulesOfDefinitions: readonly RuleBeyondSchema[] = ofFiles;

/** For `environments.yaml`. */
export const rulesOfEnvironments: readonly RuleBeyondSchema[] = [oneWayToSignIn];

/** For the input of `manageAccess`. */
export const rulesOfAccessChanges: readonly RuleBeyondSchema[] = [
  grantsHaveOneHolder,
  changesChangeSomething,
  brokenGlassGives,
  grantsEndTogether,
];

/** For the file of a change of access. */
export const rulesOfAccessChangeFiles: readonly RuleBeyondSchema[] = [
  grantsHaveOneHolder,
  changesChangeSomething,
  grantsEndInTime,
  grantsEndTogether,
];
