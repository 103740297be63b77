/** Looks at a sandbox without changing it. */
import { join } from 'node:path';
import { readDescription } from './sandbox-description.ts';
import type { Sandbox } from './sandbox-description.ts';
import { SandboxError } from './sandbox-error.ts';
import { readPlan } from './sandbox-plan.ts';
import { statePaths } from './state/directory.ts';
import { lastLogLines } from './state/logs.ts';
import { createProcessSupervisor } from './state/processes.ts';

export interface ProcessStatus {
  readonly name: string;
  readonly running: boolean;
  readonly pid?: number;
  readonly logPath: string;
}

export interface SandboxStatus {
  readonly stateDirectory: string;
  /**
   * `absent`: nothing is there. `running`: everything that was started lives.
   * `broken`: some of it has died, or its start did not come to an end; `up` repairs it.
   */
  readonly state: 'absent' | 'running' | 'broken';
  /** Addresses, as far as the start came to its end. */
  readonly sandbox?: Sandbox;
  readonly processes: readonly ProcessStatus[];
}

export async function sandboxStatus(stateDirectory: string): Promise<SandboxStatus> {
  const paths = statePaths(stateDirectory);
  const supervisor = createProcessSupervisor(paths);
  const records = await supervisor.list();
  const processes = await Promise.all(
    records.map(async ({ name, identity, logPath }): Promise<ProcessStatus> => {
      const running = await supervisor.isRunning(name);
      return { name, running, logPath, ...(identity === undefined ? {} : { pid: identity.pid }) };
    }),
  );
  const sandbox = await readDescription(paths);
  const planned = (await readPlan(paths)) !== undefined;
  return {
    stateDirectory,
    state: stateOf({ planned, described: sandbox !== undefined, processes }),
    ...(sandbox === undefined ? {} : { sandbox }),
    processes,
  };
}

function stateOf(facts: {
  readonly planned: boolean;
  readonly described: boolean;
  readonly processes: readonly ProcessStatus[];
}): SandboxStatus['state'] {
  if (!facts.planned && facts.processes.length === 0) return 'absent';
  return facts.described && facts.processes.every(({ running }) => running) ? 'running' : 'broken';
}

export interface ProcessLog {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** The end of the logs of one process, or of all. */
export async function sandboxLogs(
  stateDirectory: string,
  options: { readonly process?: string; readonly lineCount?: number } = {},
): Promise<readonly ProcessLog[]> {
  const paths = statePaths(stateDirectory);
  const names = (await createProcessSupervisor(paths).list()).map(({ name }) => name);
  const { process: wanted, lineCount = 50 } = options;
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new SandboxError({
      code: 'SANDBOX_NOT_RUNNING',
      message: `The sandbox in ${stateDirectory} has no process ${wanted}${names.length === 0 ? '' : `; it has ${names.join(', ')}`}.`,
      next: 'Run `holdfast sandbox status`.',
    });
  }
  const chosen = wanted === undefined ? names : [wanted];
  return Promise.all(
    chosen.map(async (name) => {
      const path = join(paths.logs, `${name}.log`);
      return { name, path, text: await lastLogLines(path, lineCount) };
    }),
  );
}
