import v8, { type HookCallbacks } from 'node:v8';
import { DefaultLogger, Runtime, type LogLevel } from '@temporalio/worker';

// Tests make activities fail on purpose, which the worker reports as warnings.
const level = (process.env['HOLDFAST_TEST_LOG_LEVEL'] ?? 'ERROR') as LogLevel;

// One Runtime per process, and it cannot be changed once a worker or connection exists: it has to be
// installed before any test file runs.
Runtime.install({ logger: new DefaultLogger(level) });

// The worker hooks into every promise of the process and asks it for its constructor. Promises of a
// test file that Jest has torn down have none any more; they belong to no workflow.
const guarded = Symbol.for('holdfast.guarded');
const { createHook } = v8.promiseHooks;

const belongsSomewhere = (promise: Promise<unknown>): boolean =>
  Reflect.get(promise, 'constructor') !== undefined;

if (!(guarded in createHook)) {
  const createGuardedHook = (callbacks: HookCallbacks) =>
    createHook({
      ...callbacks,
      init(promise, parent) {
        if (belongsSomewhere(promise)) callbacks.init?.(promise, parent);
      },
      settled(promise) {
        if (belongsSomewhere(promise)) callbacks.settled?.(promise);
      },
    });
  v8.promiseHooks.createHook = Object.assign(createGuardedHook, { [guarded]: true });
}
