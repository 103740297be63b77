/**
 * A pid alone does not name a process, because the system uses it again. The
 * pid together with the time it started, and the boot it belongs to, does.
 */
import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { systemErrorCode } from '../sandbox-error.ts';

const runFile = promisify(execFile);

export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in the terms of the platform, comparable only for equality. */
  readonly startedAt: string;
}

/** Identity of the live process with this pid; undefined when there is none or it is a zombie. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt =
    process.platform === 'linux' ? await linuxStartTime(pid) : await posixStartTime(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const current = await identifyProcess(identity.pid);
  return current?.startedAt === identity.startedAt;
}

async function linuxStartTime(pid: number): Promise<string | undefined> {
  const stat = await readProcFile(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command name in parentheses may itself hold spaces and parentheses (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  // A zombie is dead; process 1 of a container may take seconds to collect it.
  if (startTicks === undefined || state === 'Z' || state === 'X') return undefined;
  const bootId = await readProcFile('/proc/sys/kernel/random/boot_id');
  return `${(bootId ?? '').trim()}/${startTicks}`;
}

async function posixStartTime(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await runFile('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
    const [state = 'Z', ...startTime] = stdout.trim().split(/\s+/);
    return state.startsWith('Z') ? undefined : startTime.join(' ');
  } catch {
    return undefined;
  }
}

/**
 * Finds live processes by a variable in their environment. Only Linux shows it,
 * and only for our own processes; elsewhere the answer is empty.
 */
export async function findByEnvironment(variable: string): Promise<readonly ProcessIdentity[]> {
  if (process.platform !== 'linux') return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: ProcessIdentity[] = [];
  for (const pid of pids) {
    const environment = await readProcFile(`/proc/${pid}/environ`);
    if (environment?.split('\0').includes(variable) !== true) continue;
    const identity = await identifyProcess(pid);
    if (identity !== undefined) found.push(identity);
  }
  return found;
}

/** First word of the command line: what the process was started as. */
export async function commandOf(pid: number): Promise<string | undefined> {
  return (await readProcFile(`/proc/${pid}/cmdline`))?.split('\0')[0];
}

async function readProcFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(systemErrorCode(error) ?? '')) {
      return undefined;
    }
    throw error;
  }
}
