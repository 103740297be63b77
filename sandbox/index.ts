/** The embedded stack: real Temporal, Kubernetes and PostgreSQL on one machine, without Docker. */
export { sandboxUp } from './sandbox-up.ts';
export { sandboxDown } from './sandbox-down.ts';
export { sandboxLogs, sandboxStatus } from './sandbox-status.ts';
export type { SandboxStatus } from './sandbox-status.ts';
export { examineMachine } from './doctor.ts';
export type { DoctorCheck } from './doctor.ts';
export { startPrometheus } from './metrics/start-prometheus.ts';
export { restartTemporal } from './restart-temporal.ts';
export { resolveStateDirectory } from './state/directory.ts';
export { locateTool } from './tools/locate.ts';
export type { HostChange } from './node-layer.ts';
export type { OnProgress } from './progress.ts';
export type { Sandbox } from './sandbox-description.ts';
