import { DefaultLogger, Runtime } from '@temporalio/worker';

// One Runtime per process, and it cannot be changed once a worker or connection exists: it has to be
// installed before any test file runs.
Runtime.install({ logger: new DefaultLogger('WARN') });
