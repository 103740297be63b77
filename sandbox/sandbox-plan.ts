/**
 * What a sandbox is going to be, written before anything of it is started, so
 * that a later `up` repairs exactly this one and `down` knows what to undo.
 */
import type { ControlPlanePorts } from './kubernetes/control-plane.ts';
import type { SandboxLevel } from './sandbox-description.ts';
import { SandboxError } from './sandbox-error.ts';
import { readFileIfPresent, writeFileAtomically } from './state/atomic-file.ts';
import type { StatePaths } from './state/directory.ts';
import { chooseFreePorts, isPortFree } from './state/ports.ts';
import type { DevelopmentSettings } from './temporal/development-settings.ts';

export interface SandboxPorts {
  readonly temporal: number;
  readonly temporalUi: number;
  readonly kwok: number;
  readonly postgres: number;
  readonly controlPlane: ControlPlanePorts;
}

export interface SandboxPlan {
  readonly level: SandboxLevel;
  readonly levelReason?: string;
  readonly temporalSettings: DevelopmentSettings;
  readonly ports: SandboxPorts;
}

export async function readPlan(paths: StatePaths): Promise<SandboxPlan | undefined> {
  const text = await readFileIfPresent(paths.plan);
  return text === undefined ? undefined : (JSON.parse(text) as SandboxPlan);
}

/** A sandbox from before there was a database gets one, too, with the next `up`. */
export async function withDatabasePort(
  plan: SandboxPlan | undefined,
): Promise<SandboxPlan | undefined> {
  if (plan === undefined || 'postgres' in plan.ports) return plan;
  const { ports, ...rest } = plan as Omit<SandboxPlan, 'ports'> & {
    ports: Omit<SandboxPorts, 'postgres'>;
  };
  const [postgres] = await chooseFreePorts(1);
  return { ...rest, ports: { ...ports, postgres: chosen(postgres) } };
}

export async function writePlan(paths: StatePaths, plan: SandboxPlan): Promise<void> {
  await writeFileAtomically(paths.plan, `${JSON.stringify(plan, null, 2)}\n`);
}

/** Free ports, except where the settings fix one; a fixed one that is taken is an error. */
export async function choosePorts(settings: DevelopmentSettings): Promise<SandboxPorts> {
  const { port, uiPort } = settings.server;
  const [temporal, temporalUi, kwok, apiServer, etcdClient, etcdPeer, postgres] =
    await chooseFreePorts(7);
  return {
    temporal: await fixedOr(port, temporal, 'server.port'),
    temporalUi: await fixedOr(uiPort, temporalUi, 'server.uiPort'),
    kwok: chosen(kwok),
    postgres: chosen(postgres),
    controlPlane: {
      apiServer: chosen(apiServer),
      etcdClient: chosen(etcdClient),
      etcdPeer: chosen(etcdPeer),
    },
  };
}

export function allPorts(ports: SandboxPorts): readonly number[] {
  const { controlPlane, ...others } = ports;
  return Object.values({ ...others, ...controlPlane }) satisfies readonly number[];
}

async function fixedOr(
  setting: number | 'auto',
  free: number | undefined,
  field: string,
): Promise<number> {
  if (setting === 'auto') return chosen(free);
  if (await isPortFree(setting)) return setting;
  throw new SandboxError({
    code: 'SANDBOX_PORT_TAKEN',
    message: `Port ${setting}, which temporal-dev.yaml fixes as ${field}, is in use by another process. Nothing was started.`,
    next: `End that process, or set ${field} to auto.`,
  });
}

function chosen(port: number | undefined): number {
  if (port === undefined) throw new Error('Fewer ports were chosen than asked for.');
  return port;
}
