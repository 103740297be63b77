/** A step of the schema. Once released it never changes; what it got wrong, a later one repairs. */
export interface Migration {
  /** From 1, without gaps. */
  readonly number: number;
  readonly name: string;
  /** SQL that PostgreSQL 15 understands, run in one transaction with all others that are pending. */
  readonly statements: readonly string[];
}
