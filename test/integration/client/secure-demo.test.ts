import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StoryFigures } from '../../../client/cli/story-figures.ts';
import { packageDirectory } from './user-terminal.ts';

let directory: string;
let told: { exitCode: unknown; figures: StoryFigures; talk: string };

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-demo-'));
  const child = spawn(
    process.execPath,
    ['client/cli/demo.ts', '--secure', '--level', '1', '--json'],
    {
      cwd: packageDirectory,
      env: { ...process.env, HOLDFAST_STATE_DIR: directory },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const ended = once(child, 'exit');
  const [figures, talk] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [exitCode] = (await ended) as unknown[];
  told = { exitCode, talk, figures: JSON.parse(figures) as StoryFigures };
}, 300_000);
afterAll(async () => rm(directory, { recursive: true, force: true }));

describe('the story with --secure', () => {
  test('goes as told: everyone is proven, each plan is approved, and what Temporal stores is sealed', () => {
    expect(
      told.figures.chapters.map(({ version, deviations }) => ({ version, deviations })),
    ).toEqual(['v1', 'v2', 'v3a'].map((version) => ({ version, deviations: [] })));
    expect(told).toMatchObject({ exitCode: 0, figures: { asTold: true } });
  });

  test('says who asks, who approves, and how payloads are read', () => {
    expect(told.talk).toContain('rita@example.com asks for each release');
    expect(told.talk).toMatch(/sign in at http:\/\/127\.0\.0\.1:\d+ with \S+/);
    expect(told.talk).toContain('approval: done');
    expect(told.talk).toContain('anna@example.com: the plan is what was announced');
  });
});
