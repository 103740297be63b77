/** Looks at everything the sandbox needs and says what to do about what is missing. */
import type { Client } from '@temporalio/client';
import type { DoctorCheck } from './doctor/check.ts';
import { checkLevelTwo } from './doctor/level-two.ts';
import { checkPrerequisites } from './doctor/prerequisites.ts';
import { checkSandboxState } from './doctor/sandbox-state.ts';
import { checkUnpolledRuns } from './doctor/unpolled-runs.ts';
import { resolveStateDirectory } from './state/directory.ts';

export type { DoctorCheck } from './doctor/check.ts';

export interface DoctorOptions {
  readonly stateDirectory?: string;
  /** Starts again what has died of a sandbox that is up; nothing that holds data is removed. */
  readonly repair?: boolean;
  /** Connected to the server whose runs are looked at; without it they are not. */
  readonly client?: Client;
}

export async function examineMachine(options: DoctorOptions = {}): Promise<readonly DoctorCheck[]> {
  const stateDirectory = await resolveStateDirectory({ asked: options.stateDirectory });
  return [
    ...(await checkPrerequisites()),
    ...(await checkSandboxState(stateDirectory, { repair: options.repair === true })),
    ...(await checkLevelTwo(stateDirectory)),
    ...(options.client === undefined ? [] : [await checkUnpolledRuns(options.client)]),
  ];
}
