/** A stretch of an axis, in its own unit. */
export interface Range {
  from: number;
  to: number;
}

/** A mark on an axis. */
export interface Tick {
  at: number;
  label: string;
}

/** Where a value lies on so many pixels. */
export const positionIn = ({ from, to }: Range, value: number, pixels: Range): number => {
  const share = to === from ? 0 : (value - from) / (to - from);
  return pixels.from + share * (pixels.to - pixels.from);
};

/** The smallest step of 1, 2 or 5 times a power of ten that needs at most so many ticks. */
export const niceStep = (span: number, mostTicks: number): number => {
  // An axis of nothing but zeros still needs a length.
  const rough = (span > 0 ? span : 1) / mostTicks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5].find((candidate) => candidate * power >= rough) ?? 10;
  return factor * power;
};

/** Ticks from zero up to the first that holds the greatest value. */
export const valueTicks = (
  greatest: number,
  { mostTicks, format }: { mostTicks: number; format: (value: number) => string },
): Tick[] => {
  const step = niceStep(greatest, mostTicks);
  const count = Math.max(1, Math.ceil(greatest / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => {
    // A product is exact to the last digit that is shown; a sum of steps is not.
    const at = Number((index * step).toPrecision(12));
    return { at, label: format(at) };
  });
};

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const timeSteps = [1, 2, 5, 10, 15, 30]
  .map((count) => count * second)
  .concat([1, 2, 5, 10, 15, 30].map((count) => count * minute))
  .concat([1, 2, 3, 6, 12, 24, 48, 168].map((count) => count * hour));

/** Round times of day in a range, as many as fit. */
export const timeTicks = ({ from, to }: Range, mostTicks: number): Tick[] => {
  const step = timeSteps.find((candidate) => (to - from) / candidate <= mostTicks) ?? 168 * hour;
  const first = Math.ceil(from / step) * step;
  const ticks: Tick[] = [];
  for (let at = first; at <= to; at += step) ticks.push({ at, label: timeLabel(at, step) });
  return ticks;
};

const timeLabel = (atMs: number, step: number): string => {
  const iso = new Date(atMs).toISOString();
  if (step >= 24 * hour) return iso.slice(5, 10);
  return step >= minute ? iso.slice(11, 16) : iso.slice(11, 19);
};
