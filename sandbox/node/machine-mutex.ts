/**
 * One process at a time changes the machine's node. The kernel holds the lock
 * for a child that lives on our pipe: however we end, it is free again.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** An existing directory can be locked like a file, and so nothing is left behind. */
const LOCKED = '/run';

/** Runs `work` while no other process of this machine is inside this function. */
export async function whileHoldingMachine<T>(work: () => Promise<T>): Promise<T> {
  const child = spawn('flock', [LOCKED, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  try {
    // flock ends without a word when it cannot lock.
    await Promise.race([once(child.stdout, 'data'), ended]);
    if (child.exitCode !== null) {
      throw new Error(`flock could not lock ${LOCKED}: exit code ${child.exitCode}.`);
    }
    return await work();
  } finally {
    child.stdin.end();
    await ended;
  }
}
