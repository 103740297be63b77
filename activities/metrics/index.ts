export { createMeasurements } from './measurements.ts';
export { createPrometheusAlertRules } from './prometheus-alert-rules.ts';
export { createPrometheusMetrics } from './prometheus-metrics.ts';
