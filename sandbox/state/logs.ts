/** Reads the logs that the sandbox's processes write. */
import { open } from 'node:fs/promises';
import { systemErrorCode } from '../sandbox-error.ts';

const TAIL_BYTES = 64 * 1024;

/** The last lines of a log; says so where there is no log yet. */
export async function lastLogLines(path: string, lineCount: number): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const length = Math.min(size, TAIL_BYTES);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8').trimEnd().split('\n').slice(-lineCount).join('\n');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return `(no log at ${path})`;
    throw error;
  }
}
