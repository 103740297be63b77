import {
  makeTelemetryFilterString,
  Runtime,
  type RuntimeOptions,
  type LogMetadata,
  type Logger,
} from '@temporalio/worker';
import { IllegalStateError } from '@temporalio/common';
import { pino, type Logger as PinoLogger } from 'pino';

/** Lines that could not be written are kept up to this, and dropped beyond it. */
const longestBacklogChars = 1_000_000;

let installed: PinoLogger | undefined;

/**
 * Sends what the worker, its workflows and its activities log through one pino
 * logger to standard error. The SDK keeps one runtime per process, so that a
 * second call returns the logger of the first.
 */
export const installTelemetry = (level: string): PinoLogger => {
  if (installed !== undefined) return installed;
  const destination = pino.destination({ dest: 2, sync: true, maxLength: longestBacklogChars });
  // A log that nobody takes (a full disk, a terminal that is gone) must not end what it tells about.
  destination.on('error', () => undefined);
  const log = pino(
    { level, base: null, redact: { paths: ['*.proof', '*.apiKey', '*.authorization'] } },
    destination,
  );
  installRuntime({
    logger: sdkLogger(log),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
    },
    // Signals are handled where the process begins, once for all pools.
    shutdownSignals: [],
  });
  installed = log;
  return log;
};

/** A process that embeds workers may have set up its runtime before; then its logger stays. */
const installRuntime = (options: RuntimeOptions): void => {
  try {
    Runtime.install(options);
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
  }
};

const levels = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
} as const;

const sdkLogger = (log: PinoLogger): Logger => {
  const write = (level: keyof typeof levels, message: string, meta?: LogMetadata): void => {
    log[levels[level]](readableFields(meta), message);
  };
  return {
    log: write,
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('INFO', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };
};

/**
 * The SDK says with every line what it is about: workflowId, runId, activityType, attempt. It calls
 * the run differently in activities; one search must find the lines of both.
 */
const readableFields = (meta: LogMetadata = {}): Record<string, unknown> => {
  const { error, workflowRunId, taskToken: _unreadable, ...fields } = meta;
  return {
    ...fields,
    ...(workflowRunId === undefined ? {} : { runId: workflowRunId }),
    ...(error === undefined ? {} : { err: error }),
  };
};
