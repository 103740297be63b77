import { z } from 'zod';

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const pattern = /^(\d+)(ms|s|m|h|d)$/;

const Text = z.string().regex(pattern, 'must be a number with a unit: ms, s, m, h or d, e.g. 10m');

const millisecondsOf = (text: string): number => {
  const [, amount = '0', unit = 'ms'] = pattern.exec(text) ?? [];
  return Number(amount) * units[unit as keyof typeof units];
};

const description = 'A length of time: a number with the unit ms, s, m, h or d.';

/** `90s`, `10m`, `1h`: a length of time as people write it in a file. Becomes milliseconds. */
export const Duration = Text.transform(millisecondsOf).describe(description);

/** Why a watch of no time is refused. */
export const unwatchedReason =
  'must be longer than 0: what is watched for no time is no data, and no data never passes';

/** A `Duration` for which something is watched. */
export const WatchDuration = Text.regex(/^(?!0+(?:ms|[smhd])$)/, unwatchedReason)
  .transform(millisecondsOf)
  .describe(description);
