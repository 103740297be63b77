import { performance } from 'node:perf_hooks';
import type { Line, Point, VerdictMark } from '../../client/cli/report/chart.ts';
import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import type { Answer } from '../progressive/user-traffic.ts';
import { drawPicture } from './picture.ts';

/** A release as users met it. */
export interface SeenRelease {
  /** What the picture shows, in a sentence. */
  summary: string;
  from: string;
  to: string;
  answers: readonly Answer[];
  stages: DeployServiceProgress['stages'];
}

const windowMs = 250;

/** Share of the answers of a version, window by window. */
const shareLine = (answers: readonly Answer[], version: string, role: string): Line => {
  const windows = new Map<number, { all: number; own: number }>();
  const startMs = answers[0]?.atMs ?? 0;
  for (const answer of answers) {
    const index = Math.floor((answer.atMs - startMs) / windowMs);
    const counts = windows.get(index) ?? { all: 0, own: 0 };
    counts.all += 1;
    if (answer.version === version) counts.own += 1;
    windows.set(index, counts);
  }
  const points = [...windows]
    .toSorted(([left], [right]) => left - right)
    .map(([index, { all, own }]): Point => {
      const value = Math.round((own / all) * 1_000) / 10;
      const label = `${String(own)} of ${String(all)} answers by version ${version}`;
      return { atMs: index * windowMs, value, label };
    });
  return { role, stretches: [points] };
};

const shown = /^(preview|smoke|bake|retain|shift |watch |switch |return |update |Deployment)/;

const tones: Readonly<Record<string, VerdictMark['tone']>> = { done: 'good', failed: 'bad' };

/** Stages of the release that moved or judged traffic, when they ended. */
const marksOf = ({ stages, answers }: SeenRelease): VerdictMark[] => {
  const startMs = performance.timeOrigin + (answers[0]?.atMs ?? 0);
  return stages
    .flatMap(({ name, status, note, endedAtMs }) => {
      const tone = tones[status];
      if (endedAtMs === undefined || tone === undefined || !shown.test(name)) return [];
      const label = note === '' ? name : `${name}: ${note}`;
      return [{ atMs: endedAtMs - startMs, tone, label }];
    })
    .toSorted((left, right) => left.atMs - right.atMs)
    .map((mark, index) => ({ ...mark, number: index + 1 }));
};

/** The picture of a release: who answered its users, and what it did meanwhile. */
export const drawRelease = (release: SeenRelease): string => {
  const { answers, from, to, summary } = release;
  const lastMs = (answers.at(-1)?.atMs ?? 0) - (answers[0]?.atMs ?? 0);
  const failed = answers.filter(({ failure }) => failure !== undefined).length;
  return drawPicture({
    chart: {
      summary,
      timeRange: { from: 0, to: lastMs },
      greatest: 100,
      format: (value) => `${String(value)} %`,
      lines: [shareLine(answers, to, 'new'), shareLine(answers, from, 'old')],
      marks: marksOf(release),
    },
    legend: [
      { role: 'new', label: 'answers of the new version' },
      { role: 'old', label: 'answers of the old version' },
      { label: `${String(failed)} of ${String(answers.length)} requests failed` },
    ],
  });
};
