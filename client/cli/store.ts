import path from 'node:path';
import * as postgres from '../../activities/store/postgres/index.ts';
import { expiriesAt } from '../../domain/store/prune-rules.ts';
import { OpsError } from '../ops-error.ts';
import type { CommandContext } from './command-context.ts';
import { parseDurationFlag } from './duration-flag.ts';
import { withStore } from './open-store.ts';
import { paintTable, piece, type Tone } from './paint.ts';
import type { StoreFlags } from './store-verbs.ts';
import { canvasOf, printJson, printLine, say, type Terminal } from './terminal.ts';

type Status = postgres.StoreStatus;

const notCurrentExitCode = 1;

const nextAfter: Record<Status['state'], string | undefined> = {
  current: undefined,
  empty: '`holdfast store migrate` makes its tables.',
  outdated: 'look at `holdfast store migrate --dry-run`, then run `holdfast store migrate`.',
  newer: 'use the version of Holdfast that migrated it, or a later one.',
  altered: 'use the release that applied its migrations, or restore a backup elsewhere.',
};

/** `holdfast store status` */
export const status = async (
  { terminal, end }: CommandContext,
  flags: StoreFlags,
): Promise<void> => {
  const found = await withStore(async (store) => postgres.storeStatus(store));
  if (flags.json === true) printJson(terminal, found);
  else printStatus(terminal, found);
  const next = nextAfter[found.state];
  if (next === undefined) return;
  say(terminal, `next: ${next}`);
  end(notCurrentExitCode);
};

const printStatus = (terminal: Terminal, found: Status): void => {
  const { address, serverVersion, state, migrations, tables } = found;
  const tone: Tone = state === 'current' ? 'good' : 'bad';
  const rows = [
    [piece('database', 'faint'), piece(`${address}, PostgreSQL ${serverVersion}`)],
    [piece('state', 'faint'), piece(state, tone)],
    ...migrations.map(({ number, name, appliedAtMs }) => [
      piece(`migration ${String(number)}`, 'faint'),
      piece(`${name}, ${appliedAtMs === null ? 'pending' : momentText(appliedAtMs)}`),
    ]),
    ...tables.map((table) => [
      piece(table.name, 'faint'),
      piece(`${String(table.rows)} rows, ${String(Math.ceil(table.bytes / 1_024))} kB`),
    ]),
  ];
  for (const line of paintTable(rows, canvasOf(terminal, terminal.stdout))) {
    printLine(terminal, line);
  }
};

/** `holdfast store migrate` */
export const migrate = async ({ terminal }: CommandContext, flags: StoreFlags): Promise<void> => {
  const dryRun = flags.dryRun === true;
  const outcome = await withStore(async (store) => postgres.migrate(store, { dryRun }));
  if (flags.json === true) {
    printJson(terminal, { dryRun, ...outcome });
    return;
  }
  if (dryRun) for (const statement of outcome.statements) printLine(terminal, `${statement};`);
  const names = outcome.applied.map(({ number, name }) => `${String(number)} (${name})`).join(', ');
  if (names === '') say(terminal, 'The database is up to date; nothing to do.');
  else if (dryRun) say(terminal, `Would apply ${names}; nothing was touched.`);
  else say(terminal, `Applied ${names}.`);
};

/** `holdfast store backup` */
export const backup = async (
  { terminal }: CommandContext,
  file: string,
  flags: StoreFlags,
): Promise<void> => {
  const target = path.resolve(file);
  const outcome = await withStore(async (store) =>
    postgres.backUp(store, { file: target, nowMs: Date.now() }),
  );
  if (flags.json === true) printJson(terminal, { file: target, ...outcome });
  else say(terminal, `Wrote ${rowsText(outcome.rows)} to ${target}.`);
};

/** `holdfast store restore` */
export const restore = async (
  { terminal }: CommandContext,
  file: string,
  flags: StoreFlags,
): Promise<void> => {
  const outcome = await withStore(async (store) =>
    postgres.restore(store, { file: path.resolve(file), replace: flags.replace === true }),
  );
  if (flags.json === true) printJson(terminal, outcome);
  else say(terminal, `Restored ${rowsText(outcome.rows)}, as of ${outcome.takenAt}.`);
};

/** `holdfast store prune` */
export const prune = async ({ terminal }: CommandContext, flags: StoreFlags): Promise<void> => {
  const dryRun = flags.dryRun === true;
  const outcome = expiriesAt(Date.now(), askedTimes(flags.keep ?? []));
  if ('refused' in outcome) throw badKeep(outcome.refused);
  const { expiries } = outcome;
  const pruned = await withStore(async (store) => postgres.prune(store, { expiries, dryRun }));
  if (flags.json === true) {
    printJson(terminal, { dryRun, pruned });
    return;
  }
  for (const { records, rows, beforeMs } of pruned) {
    const done = dryRun ? 'would be removed' : 'removed';
    printLine(terminal, `${records}: ${String(rows)} from before ${momentText(beforeMs)} ${done}`);
  }
};

const askedTimes = (keep: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    keep.map((text) => {
      const at = text.indexOf('=');
      const keepMs = at < 1 ? undefined : parseDurationFlag('keep', text.slice(at + 1));
      if (keepMs === undefined) throw badKeep(`${text} is not of the form RECORDS=TIME`);
      return [text.slice(0, at), keepMs];
    }),
  );

const badKeep = (reason: string): OpsError =>
  new OpsError({
    code: 'INVALID_INPUT',
    message: `--keep: ${reason}. Nothing was done.`,
    subject: '--keep',
  });

const rowsText = (rows: Readonly<Record<string, number>>): string =>
  Object.entries(rows)
    .map(([table, count]) => `${table} ${String(count)}`)
    .join(', ');

const momentText = (atMs: number): string => new Date(atMs).toISOString();
