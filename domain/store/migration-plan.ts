/** A step of the schema, as it is told apart: by number, and by the digest of what it does. */
export interface KnownMigration {
  /** From 1, without gaps. */
  number: number;
  name: string;
  checksum: string;
}

/** What the database says against what this version knows. */
export type MigrationPlan =
  | { state: 'current' }
  | { state: 'outdated'; pending: number[] }
  /** Applied by a later version. */
  | { state: 'newer'; unknown: number[] }
  /** Not what this version knows by these numbers, or not recorded though later ones are. */
  | { state: 'altered'; altered: number[] };

/** Migrations only go forward, so that anything but a beginning of the known list is refused. */
export const planMigrations = (
  known: readonly KnownMigration[],
  applied: readonly KnownMigration[],
): MigrationPlan => {
  const recorded = new Map(applied.map((migration) => [migration.number, migration]));
  const last = Math.max(0, ...recorded.keys());
  const isAltered = ({ number, checksum }: KnownMigration): boolean =>
    number <= last && recorded.get(number)?.checksum !== checksum;
  const altered = numbersOf(known.filter(isAltered));
  if (altered.length > 0) return { state: 'altered', altered };
  const unknown = numbersOf(applied).filter((number) => number > known.length);
  if (unknown.length > 0) return { state: 'newer', unknown };
  const pending = numbersOf(known.filter(({ number }) => number > last));
  return pending.length > 0 ? { state: 'outdated', pending } : { state: 'current' };
};

const numbersOf = (migrations: readonly KnownMigration[]): number[] =>
  migrations.map(({ number }) => number).sort((a, b) => a - b);
