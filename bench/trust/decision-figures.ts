import { performance } from 'node:perf_hooks';
import {
  createAccessGate,
  createFilesystemAccessKeys,
  createOidcTokens,
  openAccessSettings,
} from '../../activities/identity/index.ts';
import { codedErrorOf } from '../../activities/coded-failure.ts';
import { accessActions } from '../../contracts/access-actions.ts';
import { createAccessFolder, users } from '../../test/setup/access-folder.ts';
import type { Figure } from '../figure.ts';
import { percentile } from './percentile.ts';

const rounds = 60;
const warmUpRounds = 3;
const atMs = Date.UTC(2026, 5, 1, 12);

/**
 * Who asks and whether they may, as each message has it: the files are looked at again for every
 * question. Everyone of the directory asks for every action, of a gate as workers have it.
 */
export const measureDecisions = async (): Promise<Omit<Figure, 'holds' | 'ratio'>[]> => {
  const folder = createAccessFolder();
  const gate = createAccessGate({
    settings: openAccessSettings(folder.file),
    keysOf: ({ keysFile }) => createFilesystemAccessKeys(keysFile),
    tokens: createOidcTokens(),
    namesWhoMay: false,
  });
  const about = { environment: 'production', service: 'shop', requestedBy: 'rita@example.com' };
  const decide = async (name: string, action: string): Promise<'allowed' | 'refused'> => {
    try {
      await gate.permit(await gate.personNamed(name), { ...about, action }, atMs);
      return 'allowed';
    } catch (error) {
      if (codedErrorOf(error)?.code !== 'PERMISSION_DENIED') throw error;
      return 'refused';
    }
  };
  const questions = Object.keys(users).flatMap((name) =>
    accessActions
      .filter(({ about: what }) => what === 'Service')
      .map(({ id }) => [name, id] as const),
  );
  const tookMs = { allowed: [] as number[], refused: [] as number[] };
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const [name, action] of questions) {
      const startedAt = performance.now();
      const answer = await decide(name, action);
      if (round >= 0) tookMs[answer].push(performance.now() - startedAt);
    }
  }
  folder.remove();
  return (['allowed', 'refused'] as const).map((answer) => ({
    bench: 'trust',
    metric: 'decision_p99_ms',
    case: answer,
    value: percentile(tookMs[answer], 99),
    unit: 'ms',
    target: 2,
  }));
};
