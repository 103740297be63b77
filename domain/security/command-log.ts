/** A nonce that was used, kept until the command would have expired anyway. */
export interface UsedNonce {
  nonce: string;
  expiresAtMs: number;
}

/** Refusals that a run may still spend: each one costs it a few events of its history. */
export interface RefusalAllowance {
  left: number;
  atMs: number;
}

const mostRefusals = 20;
/** One more in an hour: a flood stays below 2,000 events in a week, and nobody is shut out for ever. */
const refillMs = 3_600_000;

export const fullAllowance = (atMs: number): RefusalAllowance => ({ left: mostRefusals, atMs });

const refilled = ({ left, atMs }: RefusalAllowance, nowMs: number): RefusalAllowance => {
  const gained = Math.max(0, Math.floor((nowMs - atMs) / refillMs));
  return { left: Math.min(mostRefusals, left + gained), atMs: atMs + gained * refillMs };
};

export const mayBeRefused = (allowance: RefusalAllowance, nowMs: number): boolean =>
  refilled(allowance, nowMs).left > 0;

export const afterRefusal = (allowance: RefusalAllowance, nowMs: number): RefusalAllowance => {
  const { left, atMs } = refilled(allowance, nowMs);
  // A full allowance does not gather hours for later.
  return { left: Math.max(0, left - 1), atMs: left === mostRefusals ? nowMs : atMs };
};

/** When the next message is looked at again, once the allowance is spent. */
export const nextAllowedAtMs = ({ atMs }: RefusalAllowance): number => atMs + refillMs;

export const isUsed = (used: readonly UsedNonce[], nonce: string): boolean =>
  used.some((entry) => entry.nonce === nonce);

/** With one more; those that have expired go. */
export const withNonce = (
  used: readonly UsedNonce[],
  entry: UsedNonce,
  nowMs: number,
): UsedNonce[] => [...used.filter(({ expiresAtMs }) => expiresAtMs > nowMs), entry];
