export { createProbes } from './http-probes.ts';
