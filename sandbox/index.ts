/** The embedded stack: a real Temporal server and a real Kubernetes on one machine, without Docker. */
export { sandboxUp } from './sandbox-up.ts';
export type { SandboxUpOptions } from './sandbox-up.ts';
export { sandboxDown } from './sandbox-down.ts';
export { sandboxLogs, sandboxStatus } from './sandbox-status.ts';
export type { ProcessLog, ProcessStatus, SandboxStatus } from './sandbox-status.ts';
export { examineMachine } from './doctor.ts';
export type { DoctorCheck, DoctorOptions } from './doctor.ts';
export { restartTemporal } from './restart-temporal.ts';
export { resolveStateDirectory } from './state/directory.ts';
export { locateTool } from './tools/locate.ts';
export type { ConfirmHostChanges } from './choose-level.ts';
export type { HostChange } from './node-layer.ts';
export type { OnProgress, Progress } from './progress.ts';
export type { Sandbox, SandboxLevel } from './sandbox-description.ts';
export { SandboxError } from './sandbox-error.ts';
export type { SandboxErrorCode } from './sandbox-error.ts';
