import { clockText } from '../explain/wording.ts';
import type { Range } from './axes.ts';
import type { Line, Point, VerdictMark } from './chart.ts';
import { gatesOf, samplesOf, type Gate, type ReleaseReport } from './release-report.ts';

/** A change of the share that was asked for. */
interface WeightChange {
  atMs: number;
  weightPercent: number;
}

/**
 * When the share of the new version was changed, as the timeline says; where there is none, as
 * the samples saw it. On the way back the share that is wanted is 0 from its beginning.
 */
export const weightChanges = (report: ReleaseReport): WeightChange[] => {
  const told = (report.timeline ?? []).flatMap(({ atMs, what }) => {
    const weightPercent = weightIn(what);
    return weightPercent === undefined ? [] : [{ atMs, weightPercent }];
  });
  if (told.length > 0) return told;
  return samplesOf(report).flatMap(({ atMs, weightPercent }) =>
    weightPercent === undefined ? [] : [{ atMs, weightPercent }],
  );
};

const weightIn = (what: string): number | undefined => {
  const shifted = /^shift to (\d+) %: done/.exec(what)?.[1];
  if (shifted !== undefined) return Number(shifted);
  if (/^switch Service\/.*: done/.test(what)) return 100;
  return what === 'unwind began' ? 0 : undefined;
};

/** The wanted share as steps, from the beginning of the range to its end. */
export const wantedLine = (changes: readonly WeightChange[], { from, to }: Range): Line => {
  let weight = 0;
  const points: Point[] = [pointAt(from, weight)];
  for (const { atMs, weightPercent } of changes) {
    points.push(pointAt(atMs, weight), pointAt(atMs, weightPercent));
    weight = weightPercent;
  }
  return { role: 'wanted', stretches: [[...points, pointAt(to, weight)]] };
};

const pointAt = (atMs: number, value: number): Point => ({
  atMs,
  value,
  label: `${clockText(atMs, atMs)}: ${String(value)} % wanted`,
});

/** A gate with its number in the charts; without a time it is in the table only. */
export interface TimedGate {
  number: number;
  gate: Gate;
  atMs: number | undefined;
}

export const timedGates = (report: ReleaseReport): TimedGate[] =>
  gatesOf(report).map((gate, index) => ({ number: index + 1, gate, atMs: endOf(report, gate) }));

const endOf = ({ timeline, facts }: ReleaseReport, { name }: Gate): number | undefined =>
  timeline?.findLast(({ what }) => what.startsWith(`${name}: `))?.atMs ??
  facts.progress?.stages.find((stage) => stage.name === name)?.endedAtMs;

export const verdictTones: Record<Gate['verdict'], VerdictMark['tone']> = {
  pass: 'good',
  fail: 'bad',
  inconclusive: 'odd',
  'no-data': 'bad',
  'not-measured': 'odd',
  skipped: 'odd',
};

export const verdictMarks = (gates: readonly TimedGate[]): VerdictMark[] =>
  gates
    .flatMap(({ number, gate: { name, verdict }, atMs }) =>
      atMs === undefined
        ? []
        : [
            {
              atMs,
              number,
              tone: verdictTones[verdict],
              label: `${clockText(atMs, atMs)}: ${name}: ${verdict.replaceAll('-', ' ')}`,
            },
          ],
    )
    .toSorted((left, right) => left.atMs - right.atMs);
