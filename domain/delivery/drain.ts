/**
 * Connections that are open when the traffic moves, such as WebSockets and streams, stay on the
 * pods they are on. Before those pods go, the connections get a limited time to end.
 */
export interface DrainRule {
  withinMs: number;
  /** Query of how many are open; without it nobody knows. */
  openConnections?: string | undefined;
}

/** What is known of the open connections at one moment. Unknown is never none. */
export type DrainLook = { open: number } | { unknown: string };

/** How a drain ended. */
export interface Drained {
  /** Deployment whose pods go. */
  workload: string;
  waitedMs: number;
  /** Connections that were open when the limit was reached; null where it was not measured. */
  connectionsCut: number | null;
}

type Outcome =
  | { state: 'value'; value: number }
  | { state: 'series'; values: readonly number[] }
  | { state: 'no-data'; reason: string };

/** Connections of all series together. */
export const drainLook = (outcome: Outcome): DrainLook => {
  if (outcome.state === 'no-data') return { unknown: outcome.reason };
  const values = outcome.state === 'value' ? [outcome.value] : outcome.values;
  return { open: Math.max(0, Math.ceil(values.reduce((sum, value) => sum + value, 0))) };
};

type DrainStep = { act: 'wait'; forMs: number } | { act: 'end'; connectionsCut: number | null };

/** A metric changes with every scrape at the most, and looks fill the history. */
const mostLooks = 30;
const shortestGapMs = 1_000;

/** Waits until none is open, or until the limit; where nobody knows, for all of it. */
export const nextDrainStep = (
  { withinMs }: DrainRule,
  { look, waitedMs }: { look: DrainLook; waitedMs: number },
): DrainStep => {
  const open = 'open' in look ? look.open : null;
  const leftMs = withinMs - waitedMs;
  if (open === 0 || leftMs <= 0) return { act: 'end', connectionsCut: open };
  const gapMs = Math.max(shortestGapMs, Math.ceil(withinMs / mostLooks));
  return { act: 'wait', forMs: Math.min(leftMs, open === null ? withinMs : gapMs) };
};

const seconds = (ms: number): string => `${String(Math.round(ms / 1_000))} s`;

export const drainedText = ({ workload, waitedMs, connectionsCut }: Drained): string => {
  const after = `after ${seconds(waitedMs)}`;
  if (connectionsCut === null) return `${after}: open connections of ${workload} not measured`;
  if (connectionsCut === 0) return `${after}: none of ${workload} is open any more`;
  return `${after}: ${String(connectionsCut)} open connections of ${workload} were cut`;
};
