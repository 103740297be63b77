import type { Identity } from './release-facts.ts';

const dayMs = 86_400_000;

/** `03:14:05 UTC`, with the day where it is another one. */
export const clockText = (atMs: number, nowMs: number): string => {
  const [day = '', time = ''] = new Date(atMs).toISOString().split('T');
  const sameDay = Math.floor(atMs / dayMs) === Math.floor(nowMs / dayMs);
  return `${sameDay ? '' : `${day} `}${time.slice(0, 8)} UTC`;
};

/** `03:14:05 UTC (in 4m 10s)` */
export const untilText = (atMs: number, nowMs: number): string => {
  const clock = clockText(atMs, nowMs);
  return atMs > nowMs ? `${clock} (in ${lengthText(atMs - nowMs)})` : `${clock} (that is over)`;
};

const units = [
  { letter: 'd', ms: dayMs },
  { letter: 'h', ms: 3_600_000 },
  { letter: 'm', ms: 60_000 },
  { letter: 's', ms: 1_000 },
] as const;

/** The two largest units of a length of time: `10m`, `1h 30m`, `45s`, `0.4s`. */
export const lengthText = (ms: number): string => {
  if (ms < 1_000) return `${(Math.max(0, ms) / 1_000).toFixed(1)}s`;
  const parts: string[] = [];
  let left = Math.round(ms / 1_000) * 1_000;
  for (const { letter, ms: unitMs } of units) {
    const count = Math.floor(left / unitMs);
    left -= count * unitMs;
    if (count > 0) parts.push(`${String(count)}${letter}`);
    else if (parts.length > 0) break;
  }
  return parts.slice(0, 2).join(' ');
};

export const percentText = (ratio: number): string => `${(ratio * 100).toFixed(2)} %`;

/** `ana: “because”` as somebody said it. */
export const saidText = ({ actor, reason }: Identity, did: string): string =>
  `${actor} ${did}: “${reason}”.`;

/** `a, b and 3 more` */
export const listText = (items: readonly string[], most: number): string => {
  const shown = items.slice(0, most);
  const rest = items.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${String(rest)} more`;
  const last = shown.pop();
  if (last === undefined) return '';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
};

/** A note that was written after a colon, as a sentence. */
export const sentence = (text: string): string => {
  const trimmed = text.trim();
  const end = /[.!?]$/.test(trimmed) ? '' : '.';
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${end}`;
};
