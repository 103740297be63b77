/** One row of the table of errors. Zod-free: workflows reach this at run time. */
export interface ErrorDefinition {
  /** May the same call succeed later without anyone changing anything? */
  readonly retryable: boolean;
  /** Exit code of the command line. */
  readonly exitCode: number;
  readonly httpStatus: number;
  /** What the code means, for the reference page. */
  readonly meaning: string;
  /** What to do or run next, for the reference page and as the default advice. */
  readonly next: string;
}

type Row = Omit<ErrorDefinition, 'retryable'>;

/** The same call fails again until someone changes something. */
export const final = (row: Row): ErrorDefinition => ({ retryable: false, ...row });

/** The same call may succeed later. */
export const passing = (row: Row): ErrorDefinition => ({ retryable: true, ...row });
