/** Waits for something to become true while the processes it depends on live. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxError } from '../sandbox-error.ts';
import type { ProcessSupervisor } from './processes.ts';

export interface WaitCondition {
  /** What is waited for, e.g. `the API server to be ready`. */
  readonly what: string;
  /** True when it is so; an error counts as not yet. */
  readonly probe: () => Promise<boolean>;
  readonly processes: ProcessSupervisor;
  /** If one of these ends, waiting ends with the end of its log. */
  readonly needs: readonly string[];
  readonly timeoutMs: number;
}

const LOOK_EVERY_MS = 50;

export async function waitUntil(condition: WaitCondition): Promise<void> {
  const deadline = performance.now() + condition.timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      if (await condition.probe()) return;
    } catch (error) {
      lastError = error;
    }
    for (const name of condition.needs) await condition.processes.assertRunning(name);
    if (performance.now() > deadline) throw timedOut(condition, lastError);
    await sleep(LOOK_EVERY_MS);
  }
}

function timedOut(condition: WaitCondition, lastError: unknown): SandboxError {
  const detail = lastError === undefined ? '' : ` (last answer: ${messageOf(lastError)})`;
  return new SandboxError({
    code: 'SANDBOX_START_FAILED',
    message: `Waited ${condition.timeoutMs / 1000} s in vain for ${condition.what}${detail}.`,
    next: `Run \`holdfast sandbox logs ${condition.needs[0] ?? ''}\`, then \`holdfast sandbox down\` and \`up\`.`,
    cause: lastError,
  });
}

/** By shape: the error of a connection may be of another realm's class. */
function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : 'none';
}
