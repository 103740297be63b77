import { existsSync } from 'node:fs';
import path from 'node:path';

type Command = readonly [string, ...string[]];

/** A check is one test: it holds for the whole tree or it does not. */
export interface Check {
  readonly kind: 'check';
  readonly name: string;
  readonly commands: readonly Command[];
  readonly stopAfterMs: number;
}

/** The tests in one folder of test/, a jest project of the same name. */
export interface JestLayer {
  readonly kind: 'jest';
  readonly name: string;
  /** Files wait more than they compute, so that more than there are processors can run at once. */
  readonly filesAtATime: number;
  readonly stopAfterMs: number;
}

/** Every write of a release, killed before and after. */
export interface KillMatrix {
  readonly kind: 'kill';
  readonly name: 'kill';
  readonly stopAfterMs: number;
}

export type Layer = Check | JestLayer | KillMatrix;

const MINUTE_MS = 60_000;
// A machine without caches builds Kubernetes inside the first layer that needs it, about nine minutes
// on two cores. These limits only end what hangs.
const WITH_SANDBOX_MS = 30 * MINUTE_MS;

const root = path.dirname(import.meta.dirname);
const cruised = [
  'activities',
  'bench',
  'client',
  'contracts',
  'domain',
  'sandbox',
  'scripts',
  'test',
  'workers',
  'workflows',
].filter((folder) => existsSync(path.join(root, folder)));

const check = (name: string, ...commands: readonly Command[]): Check => ({
  kind: 'check',
  name,
  commands,
  stopAfterMs: 5 * MINUTE_MS,
});

/** None of them waits for anything; each keeps one processor busy. */
export const CHECKS_AT_A_TIME = 2;

/** `lint` comes first because it takes as long as all the others together. */
export const CHECKS: readonly Check[] = [
  check('lint', ['eslint', '.']),
  check('lock', ['node', 'scripts/complete-lock.mjs', '--check']),
  check('format', ['prettier', '--check', '--log-level', 'warn', '.']),
  check('types', ['tsc', '--noEmit', '-p', '.']),
  check(
    'architecture',
    ['depcruise', '--config', 'dependency-cruiser.direct.js', ...cruised],
    ['depcruise', '--config', 'dependency-cruiser.runtime.js', ...cruised],
  ),
  check('knip', ['knip', '--no-progress']),
  check('generated', ['node', 'scripts/generate.ts', '--check']),
];

/** In order of speed, so that the cheapest layer that can show a mistake shows it first. */
export const LAYERS: readonly Layer[] = [
  ...CHECKS,
  { kind: 'jest', name: 'unit', filesAtATime: 2, stopAfterMs: 5 * MINUTE_MS },
  { kind: 'jest', name: 'replay', filesAtATime: 2, stopAfterMs: 5 * MINUTE_MS },
  { kind: 'jest', name: 'workflow', filesAtATime: 3, stopAfterMs: 10 * MINUTE_MS },
  { kind: 'jest', name: 'integration', filesAtATime: 3, stopAfterMs: WITH_SANDBOX_MS },
  { kind: 'kill', name: 'kill', stopAfterMs: WITH_SANDBOX_MS },
  { kind: 'jest', name: 'e2e', filesAtATime: 2, stopAfterMs: WITH_SANDBOX_MS },
];
