/** Names that a query may leave to the release to fill in. */
export interface QueryNames {
  readonly service: string;
  readonly environment: string;
  readonly release: string;
  /** Deployment that runs the version before, and the one that runs the new version. */
  readonly stable: string;
  readonly candidate: string;
  /** In a comparison: the one of the two that is asked about. */
  readonly workload?: string;
  /** In a count of the budget: the time since the new version got its first traffic, e.g. `90s`. */
  readonly window?: string;
}

const placeholder = /\$(\w+)/g;

/** The query with the names of this release; PromQL itself has no `$`. */
export const filledIn = (query: string, names: Partial<QueryNames>): string => {
  const known = new Map(Object.entries(names));
  return query.replaceAll(placeholder, (text, name: string) => known.get(name) ?? text);
};

/** Names in a query that nobody can fill in. */
export const unknownNames = (query: string, names: Partial<QueryNames>): string[] =>
  [...query.matchAll(placeholder)]
    .map(([, name = '']) => name)
    .filter((name) => !Object.hasOwn(names, name));
