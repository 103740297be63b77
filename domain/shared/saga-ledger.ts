import type { StepFailure } from './step-failure.ts';

/**
 * The list of what must be undone, written before each step takes effect. It
 * decides the order of the way back: last in, first out; what could not be undone
 * holds back the entries that depend on it, because they may still be in use.
 */
export interface LedgerEntry {
  /** Unique in the ledger; the name of the step that is undone. */
  readonly step: string;
  /** What the step changes; entries of the same service depend on later ones. */
  readonly service: string;
  /** Entries of one group do not wait for each other. */
  readonly group?: string;
  /**
   * Earlier steps that must not be undone before this one. Default: all earlier
   * steps of the same service.
   */
  readonly holdsBack?: readonly string[];
  readonly state: 'recorded' | CompensationOutcome;
  readonly note: string;
  readonly error?: StepFailure;
}

export type CompensationOutcome =
  'undone' | 'nothing-to-undo' | 'foreign-change-preserved' | 'failed' | 'skipped';

export type Ledger = readonly LedgerEntry[];

export type NewEntry = Pick<LedgerEntry, 'step' | 'service' | 'group' | 'holdsBack'>;

/** How one attempt to undo a step ended. */
export interface Settlement {
  readonly outcome: CompensationOutcome;
  readonly note: string;
  readonly error?: StepFailure;
}

/** Adds an entry; a step that is already recorded keeps its place. */
export const recordCompensation = (ledger: Ledger, entry: NewEntry): Ledger =>
  ledger.some(({ step }) => step === entry.step)
    ? ledger
    : [...ledger, { ...entry, state: 'recorded', note: '' }];

const isOpen = ({ state }: LedgerEntry): boolean => state === 'recorded' || state === 'failed';

const holdsBack = (later: LedgerEntry, earlier: LedgerEntry): boolean => {
  if (later.group !== undefined && later.group === earlier.group) return false;
  return later.holdsBack?.includes(earlier.step) ?? later.service === earlier.service;
};

/** The entries that may be undone now, the latest first. */
export const undoable = (ledger: Ledger): LedgerEntry[] =>
  ledger
    .filter(
      (entry, index) =>
        entry.state === 'recorded' &&
        !ledger.slice(index + 1).some((later) => isOpen(later) && holdsBack(later, entry)),
    )
    .reverse();

export const settle = (ledger: Ledger, step: string, settlement: Settlement): Ledger =>
  ledger.map((entry) => {
    if (entry.step !== step) return entry;
    const { error: _outdated, ...rest } = entry;
    const { outcome, note, error } = settlement;
    return { ...rest, state: outcome, note, ...(error === undefined ? {} : { error }) };
  });

/** The entries that could not be undone and wait for an operator. */
export const failedEntries = (ledger: Ledger): LedgerEntry[] =>
  ledger.filter(({ state }) => state === 'failed');

export const isSettled = (ledger: Ledger): boolean => !ledger.some(isOpen);

const change = (
  ledger: Ledger,
  which: (entry: LedgerEntry) => boolean,
  to: Pick<LedgerEntry, 'state' | 'note'>,
): Ledger => ledger.map((entry) => (which(entry) ? { ...entry, ...to } : entry));

/** `retryCompensation`: what failed is tried again. */
export const retryFailed = (ledger: Ledger): Ledger =>
  change(ledger, ({ state }) => state === 'failed', { state: 'recorded', note: '' });

/** `skip`: what failed stays as it is; what it held back goes on. */
export const skipFailed = (ledger: Ledger, note: string): Ledger =>
  change(ledger, ({ state }) => state === 'failed', { state: 'skipped', note });

/** `abort`: everything that is not undone stays as it is. */
export const giveUp = (ledger: Ledger, note: string): Ledger =>
  change(ledger, isOpen, { state: 'skipped', note });
