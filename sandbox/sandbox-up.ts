/** Brings a sandbox up, or finds the one that runs and repairs what of it has died. */
import { join } from 'node:path';
import { chooseLevel } from './choose-level.ts';
import type { ConfirmHostChanges } from './choose-level.ts';
import type { ControlPlane } from './kubernetes/control-plane.ts';
import { startKwokNodes } from './kubernetes/kwok-nodes.ts';
import { startControlPlane } from './kubernetes/start-control-plane.ts';
import { nodeLayer } from './node/index.ts';
import { readSandboxSettings } from './config.ts';
import { packageRoot } from './package-root.ts';
import { startPostgres } from './postgres/start-postgres.ts';
import type { OnProgress } from './progress.ts';
import { writeDescription } from './sandbox-description.ts';
import type { Sandbox, SandboxLevel } from './sandbox-description.ts';
import { SandboxError } from './sandbox-error.ts';
import { allPorts, choosePorts, readPlan, withDatabasePort, writePlan } from './sandbox-plan.ts';
import type { SandboxPlan } from './sandbox-plan.ts';
import { openStateDirectory, resolveStateDirectory } from './state/directory.ts';
import type { StatePaths } from './state/directory.ts';
import { withLock } from './state/lock.ts';
import { isPortFree } from './state/ports.ts';
import { createProcessSupervisor } from './state/processes.ts';
import type { ProcessSupervisor } from './state/processes.ts';
import { readDevelopmentSettings } from './temporal/development-settings.ts';
import type { DevelopmentSettings, Persistence } from './temporal/development-settings.ts';
import { startDevelopmentServer } from './temporal/development-server.ts';
import type { DevelopmentServer } from './temporal/development-server.ts';
import { locateTool } from './tools/locate.ts';
import type { ToolName } from './tools/catalogue.ts';

export interface SandboxUpOptions {
  /** `auto`: level 2 where this machine can and the user agrees, else level 1 with the reason. */
  readonly level: SandboxLevel | 'auto';
  /** HOLDFAST_STATE_DIR or `.holdfast` of the checkout when absent. */
  readonly stateDirectory?: string;
  /** Asked once, before anything of the machine is changed; never on level 1. */
  readonly confirm: ConfirmHostChanges;
  readonly onProgress: OnProgress;
  /** Called with the URL of the database as soon as it takes connections, beside all other starts. */
  readonly prepareDatabase?: (url: string) => Promise<void>;
  readonly temporal?: {
    /** `temporal-dev.yaml` of the package when absent. */
    readonly settingsPath?: string;
    /** In place of what the settings say. */
    readonly persistence?: Persistence;
  };
}

/** Another `up` of the same directory may be building Kubernetes. */
const WAIT_FOR_OTHER_MS = 60 * 60 * 1000;

/**
 * Brings the sandbox up and returns once it serves. One that runs already is
 * returned as it is, after what has died of it was started again.
 *
 * @throws SandboxError
 */
export async function sandboxUp(options: SandboxUpOptions): Promise<Sandbox> {
  const paths = await openStateDirectory(
    await resolveStateDirectory({ asked: options.stateDirectory }),
  );
  return withLock(
    {
      path: paths.lock,
      purpose: 'starting the sandbox',
      waitAtMostMs: WAIT_FOR_OTHER_MS,
      onWait: (holder) =>
        options.onProgress({
          step: 'lock',
          message: `waiting for process ${holder.pid}, which is ${holder.purpose}`,
          elapsedMs: 0,
        }),
    },
    async () => bringUp(options, paths),
  );
}

async function bringUp(options: SandboxUpOptions, paths: StatePaths): Promise<Sandbox> {
  const processes = createProcessSupervisor(paths);
  const plan = await planSandbox({ options, paths, processes });
  const start: Start = { options, paths, processes, plan };
  const binaries = await locateBinaries(start);
  await writePlan(paths, plan);
  const [[temporal, database], cluster] = await bothOrFirstError(
    bothOrFirstError(startTemporal(start, binaries('temporal')), startDatabase(start)),
    startCluster(start, binaries),
  );
  const sandbox: Sandbox = {
    stateDirectory: paths.directory,
    level: plan.level,
    ...(plan.levelReason === undefined ? {} : { levelReason: plan.levelReason }),
    temporal,
    ...cluster,
    ...database,
  };
  await writeDescription(paths, sandbox);
  return sandbox;
}

interface Start {
  readonly options: SandboxUpOptions;
  readonly paths: StatePaths;
  readonly processes: ProcessSupervisor;
  readonly plan: SandboxPlan;
}

/** The plan of the sandbox that is there, or a new one. */
async function planSandbox(context: Omit<Start, 'plan'>): Promise<SandboxPlan> {
  const { options, paths, processes } = context;
  const existing = await withDatabasePort(await readPlan(paths));
  if (existing === undefined) {
    const temporalSettings = await readSettings(options);
    const choice = await chooseLevel({
      asked: options.level,
      stateDirectory: paths.directory,
      nodeLayer,
      confirm: options.confirm,
    });
    return { ...choice, temporalSettings, ports: await choosePorts(temporalSettings) };
  }
  refuseOtherKind(options, { existing, stateDirectory: paths.directory });
  if (await canUsePortsAgain(existing, processes)) return existing;
  // Something else took a port while ours were dead; servers on the others would not be found.
  await processes.stopAll();
  return { ...existing, ports: await choosePorts(existing.temporalSettings) };
}

/** What is asked for explicitly is what is returned; a sandbox never changes its kind silently. */
function refuseOtherKind(
  { level, temporal }: SandboxUpOptions,
  found: { readonly existing: SandboxPlan; readonly stateDirectory: string },
): void {
  const { existing, stateDirectory } = found;
  const { persistence } = existing.temporalSettings.server;
  const differences = [
    ...(level !== 'auto' && level !== existing.level
      ? [`is of level ${existing.level}, not ${level}`]
      : []),
    ...(temporal?.persistence !== undefined && temporal.persistence !== persistence
      ? [`keeps Temporal's runs in ${persistence}, not in ${temporal.persistence}`]
      : []),
  ];
  if (differences.length === 0) return;
  throw new SandboxError({
    code: 'SANDBOX_OTHER_KIND',
    message: `The sandbox in ${stateDirectory} ${differences.join(' and ')}. Nothing was changed.`,
    next: 'Run `holdfast sandbox down` first, or set HOLDFAST_STATE_DIR for a second one.',
  });
}

async function canUsePortsAgain(plan: SandboxPlan, processes: ProcessSupervisor): Promise<boolean> {
  const records = await processes.list();
  const running = await Promise.all(records.map(async ({ name }) => processes.isRunning(name)));
  if (running.some(Boolean)) return true;
  const free = await Promise.all(allPorts(plan.ports).map(isPortFree));
  return free.every(Boolean);
}

async function readSettings(options: SandboxUpOptions): Promise<DevelopmentSettings> {
  const { settingsPath, persistence } = options.temporal ?? {};
  const settings = await readDevelopmentSettings(
    settingsPath ?? join(packageRoot(), 'temporal-dev.yaml'),
  );
  if (persistence === undefined) return settings;
  return { ...settings, server: { ...settings.server, persistence } };
}

type Binaries = (name: ToolName) => string;

/** Gets only what this level runs, one after the other, so that progress can be read. */
async function locateBinaries({ options, plan }: Start): Promise<Binaries> {
  const names: readonly ToolName[] =
    plan.level === 1
      ? ['temporal', 'kubernetes', 'kwok']
      : ['temporal', 'traefik', 'gateway-definitions', 'kubernetes'];
  const found = new Map<ToolName, string>();
  for (const name of names) {
    found.set(name, (await locateTool(name, { onProgress: options.onProgress })).path);
  }
  return (name) => {
    const path = found.get(name);
    if (path === undefined) throw new Error(`${name} is not a tool of level ${plan.level}.`);
    return path;
  };
}

async function startTemporal(start: Start, temporalBinary: string): Promise<DevelopmentServer> {
  const { plan, paths, processes, options } = start;
  return startDevelopmentServer({
    stateDirectory: paths.directory,
    temporalBinary,
    settings: plan.temporalSettings,
    ports: { server: plan.ports.temporal, ui: plan.ports.temporalUi },
    processes,
    onProgress: options.onProgress,
  });
}

async function startDatabase(start: Start): Promise<Pick<Sandbox, 'postgres'>> {
  const { plan, paths, processes, options } = start;
  if (readSandboxSettings().databaseUrl !== undefined) return {};
  const postgres = await startPostgres({
    stateDirectory: paths.directory,
    port: plan.ports.postgres,
    processes,
    onProgress: options.onProgress,
  });
  await options.prepareDatabase?.(postgres.url);
  return { postgres: { address: postgres.address, urlPath: postgres.urlPath } };
}

async function startCluster(
  start: Start,
  binaries: Binaries,
): Promise<Pick<Sandbox, 'kubernetes' | 'gateway'>> {
  const { plan, paths, processes, options } = start;
  const { onProgress } = options;
  const machine = { stateDirectory: paths.directory, processes, onProgress };
  if (plan.level === 2) await nodeLayer.prepareHost(machine);
  const [cluster] = await bothOrFirstError(
    startControlPlane({
      ...machine,
      kubernetesBinary: binaries('kubernetes'),
      address: plan.level === 2 ? nodeLayer.nodeAddress : '127.0.0.1',
      ports: plan.ports.controlPlane,
    }),
    plan.level === 2 ? nodeLayer.startContainers(machine) : Promise.resolve(),
  );
  // Nodes join while the controllers start.
  if (plan.level === 1) {
    const kwokBinary = binaries('kwok');
    const nodes = startKwokNodes(cluster, { kwokBinary, port: plan.ports.kwok, onProgress });
    await bothOrFirstError(nodes, cluster.controllersReady());
    return { kubernetes: describeCluster(cluster) };
  }
  const joined = nodeLayer.startNode(cluster, {
    onProgress,
    traefikBinary: binaries('traefik'),
    gatewayDefinitionsDirectory: binaries('gateway-definitions'),
  });
  const [node] = await bothOrFirstError(joined, cluster.controllersReady());
  return { kubernetes: describeCluster(cluster), gateway: { url: node.gatewayUrl } };
}

function describeCluster(cluster: ControlPlane): Sandbox['kubernetes'] {
  const { kubeconfigPath, context, auditLogPath, clusterUid } = cluster;
  return { kubeconfigPath, context, auditLogPath, clusterUid };
}

/** Waits for both also when one fails, so that nothing is still starting when we report. */
async function bothOrFirstError<A, B>(
  first: Promise<A>,
  second: Promise<B>,
): Promise<readonly [A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}
