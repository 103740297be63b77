import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { NewChapter, ProberSettings } from './demo-prober.ts';
import type { TrafficCounts } from './traffic-counts.ts';

/** The stream of requests that runs beside the story. */
export interface Traffic {
  /** Ends the counting of one chapter and begins the next. */
  nextChapter(): Promise<TrafficCounts>;
  stop(): Promise<void>;
}

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const proberEntry = path.join(import.meta.dirname, `demo-prober${suffix}`);

export const startTraffic = (settings: ProberSettings): Traffic => {
  const child = fork(proberEntry, [JSON.stringify(settings)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let chapters = 0;
  return {
    nextChapter: async () => {
      chapters += 1;
      return askCounts(child, { chapter: String(chapters) });
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
};

const askCounts = async (child: ChildProcess, question: NewChapter): Promise<TrafficCounts> =>
  new Promise((resolve, reject) => {
    const failed = (): void => reject(new Error('The prober ended in the middle of the story.'));
    const receive = (answer: NewChapter & { counts: TrafficCounts }): void => {
      if (answer.chapter !== question.chapter) return;
      child.removeListener('message', receive);
      child.removeListener('exit', failed);
      resolve(answer.counts);
    };
    child.on('message', receive);
    child.once('exit', failed);
    child.send(question);
  });
