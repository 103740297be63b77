import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import type { StoryFigures } from '../client/cli/story-figures.ts';
import type { Figure } from './figure.ts';

type Measured = Omit<Figure, 'holds' | 'ratio'>;

const demo = path.resolve(import.meta.dirname, '../client/cli/demo.ts');

/** Tells the story as a user does; its figures are what it prints. */
const tellStory = async (): Promise<{ elapsedMs: number; figures: StoryFigures }> => {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [demo, '--yes', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  const elapsedMs = performance.now() - startedAt;
  if (exitCode !== 0) throw new Error('the story went otherwise than told, see above');
  const figures = JSON.parse(Buffer.concat(chunks).toString('utf8')) as StoryFigures;
  return { elapsedMs, figures };
};

/** Requests that failed while good things happened; undefined where nothing was measured. */
const failedIn = ({ chapters }: StoryFigures, versions: string[]): number | undefined => {
  const counts = chapters
    .filter(({ version }) => versions.includes(version))
    .flatMap(({ failedRequests }) => (failedRequests === null ? [] : [failedRequests]));
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
};

/** What users of the sample service notice; only where real pods carry traffic. */
export const measureDemo = async (): Promise<Measured[]> => {
  const { elapsedMs, figures } = await tellStory();
  const warm: Measured = {
    bench: 'deploy',
    metric: 'demo_warm_s',
    value: elapsedMs / 1_000,
    unit: 's',
    target: 45,
  };
  const failed = failedIn(figures, ['v2', 'v3a']);
  const worst = figures.chapters.find(({ version }) => version === 'v3b');
  const safeMs = worst?.timeToSafeMs ?? undefined;
  if (failed === undefined || safeMs === undefined) {
    process.stderr.write('traffic: not measured\n');
    return [warm];
  }
  return [
    {
      bench: 'deploy',
      metric: 'failed_requests',
      value: failed,
      unit: 'requests',
      target: 0,
    },
    { bench: 'deploy', metric: 'time_to_safe_ms', value: safeMs, unit: 'ms' },
    warm,
  ];
};
