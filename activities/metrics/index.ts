export { createMeasurements } from './measurements.ts';
export { createPrometheusMetrics } from './prometheus-metrics.ts';
