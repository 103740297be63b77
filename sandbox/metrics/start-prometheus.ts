/** Runs a real Prometheus on loopback, for whoever needs metrics to decide by. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { reportStep } from '../progress.ts';
import type { OnProgress } from '../progress.ts';
import { SandboxError } from '../sandbox-error.ts';
import {
  PRIVATE_DIRECTORY_MODE,
  readFileIfPresent,
  writeFileAtomically,
} from '../state/atomic-file.ts';
import { openStateDirectory } from '../state/directory.ts';
import type { StatePaths } from '../state/directory.ts';
import { chooseFreePorts, isPortFree } from '../state/ports.ts';
import { createProcessSupervisor } from '../state/processes.ts';
import type { ProcessSupervisor } from '../state/processes.ts';
import { waitUntil } from '../state/wait-until.ts';
import { locateTool } from '../tools/locate.ts';

const PROMETHEUS_PROCESS = 'prometheus';
const LOOPBACK = '127.0.0.1';
const READY_WITHIN_MS = 60_000;

/** Something that serves metrics, as `host:port` each. */
export interface ScrapeJob {
  readonly job: string;
  readonly targets: readonly string[];
  /** `/metrics` when absent. */
  readonly metricsPath?: string;
}

export interface PrometheusOptions {
  /** Its processes and files go when `sandboxDown` is called for this directory. */
  readonly stateDirectory: string;
  readonly scrapes: readonly ScrapeJob[];
  /** A second when absent. */
  readonly scrapeEveryMs?: number;
  readonly onProgress: OnProgress;
}

export interface RunningPrometheus {
  readonly url: string;
  /** Rule files (`*.yaml`) put here are read at the next `POST {url}/-/reload`. */
  readonly rulesDirectory: string;
}

/**
 * Starts Prometheus and returns once it answers. May be repeated: one that runs
 * keeps its address and what it has measured, and takes the new targets.
 *
 * @throws SandboxError
 */
export async function startPrometheus(options: PrometheusOptions): Promise<RunningPrometheus> {
  const { onProgress } = options;
  const { path: prometheusBinary } = await locateTool('prometheus', { onProgress });
  const paths = await openStateDirectory(options.stateDirectory);
  const processes = createProcessSupervisor(paths);
  return reportStep({ name: 'metrics', message: 'starting Prometheus', onProgress }, async () => {
    const files = filesBelow(paths.metrics);
    await mkdir(files.rules, { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
    await writeFileAtomically(files.configuration, configuration(options, files.rules));
    const ranBefore = await processes.isRunning(PROMETHEUS_PROCESS);
    const port = await portOf(files.port, ranBefore);
    const url = `http://${LOOPBACK}:${port}`;
    if (ranBefore) await reload(url);
    else await startProcess({ processes, prometheusBinary, files, port });
    await ready(url, processes);
    return { url, rulesDirectory: files.rules };
  });
}

interface Files {
  readonly configuration: string;
  readonly rules: string;
  readonly data: string;
  readonly port: string;
}

function filesBelow(directory: StatePaths['metrics']): Files {
  return {
    configuration: join(directory, 'prometheus.yaml'),
    rules: join(directory, 'rules'),
    data: join(directory, 'data'),
    port: join(directory, 'port'),
  };
}

/** JSON is YAML. */
function configuration(
  { scrapes, scrapeEveryMs = 1_000 }: PrometheusOptions,
  rulesDirectory: string,
): string {
  const interval = `${scrapeEveryMs}ms`;
  return JSON.stringify({
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: [join(rulesDirectory, '*.yaml')],
    scrape_configs: scrapes.map(({ job, targets, metricsPath }) => ({
      job_name: job,
      metrics_path: metricsPath ?? '/metrics',
      static_configs: [{ targets }],
    })),
  });
}

async function startProcess(start: {
  readonly processes: ProcessSupervisor;
  readonly prometheusBinary: string;
  readonly files: Files;
  readonly port: number;
}): Promise<void> {
  const { files, port } = start;
  await start.processes.start({
    name: PROMETHEUS_PROCESS,
    command: start.prometheusBinary,
    args: [
      `--config.file=${files.configuration}`,
      `--storage.tsdb.path=${files.data}`,
      '--storage.tsdb.retention.time=1d',
      `--web.listen-address=${LOOPBACK}:${port}`,
      '--web.enable-lifecycle',
      // Undocumented; by default a new target waits up to 5 s for its first scrape.
      '--scrape.discovery-reload-interval=100ms',
      '--log.level=warn',
    ],
    // What was measured is in its write-ahead log; a clean end would only take longer.
    stopSignal: 'SIGKILL',
  });
}

/** The port of before where it can be had, so that an address that was written down stays true. */
async function portOf(path: string, isRunning: boolean): Promise<number> {
  const earlier = Number(await readFileIfPresent(path));
  if (earlier > 0 && (isRunning || (await isPortFree(earlier)))) return earlier;
  const [port = 0] = await chooseFreePorts(1);
  await writeFileAtomically(path, String(port));
  return port;
}

async function reload(url: string): Promise<void> {
  const answer = await fetch(`${url}/-/reload`, { method: 'POST' });
  const text = await answer.text();
  if (answer.ok) return;
  throw new SandboxError({
    code: 'SANDBOX_START_FAILED',
    message: `Prometheus did not take its new targets and goes on with the old ones: ${text.trim()}`,
    next: 'Read the named file; a rule file that is wrong keeps everything else from being read.',
  });
}

async function ready(url: string, processes: ProcessSupervisor): Promise<void> {
  await waitUntil({
    what: 'Prometheus to answer',
    probe: async () => (await fetch(`${url}/-/ready`)).ok,
    processes,
    needs: [PROMETHEUS_PROCESS],
    timeoutMs: READY_WITHIN_MS,
  });
}
