export { createProbes, type ProbesDeps } from './http-probes.ts';
export type { ResolveClusterIp } from './probe-address.ts';
