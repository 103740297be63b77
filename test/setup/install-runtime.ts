import { DefaultLogger, Runtime, type LogLevel } from '@temporalio/worker';

// Tests make activities fail on purpose, which the worker reports as warnings.
const level = (process.env['HOLDFAST_TEST_LOG_LEVEL'] ?? 'ERROR') as LogLevel;

// One Runtime per process, and it cannot be changed once a worker or connection exists: it has to be
// installed before any test file runs.
Runtime.install({ logger: new DefaultLogger(level) });
