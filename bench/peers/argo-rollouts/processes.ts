import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import path from 'node:path';
import { locateTool } from '../../../sandbox/tools/locate.ts';
import { chooseFreePorts } from '../../../sandbox/state/ports.ts';
import type { Stack } from '../../../test/kill/release-rig.ts';
import { waitFor } from '../../progressive/user-traffic.ts';

/** A process that ends with the bench and can be killed as a crash would. */
interface Process {
  crash(): void;
  stop(): Promise<void>;
}

interface Command {
  binary: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  log: string;
}

const startProcess = ({ binary, args, env, log }: Command): Process => {
  const start = (): ChildProcess => {
    const file = openSync(log, 'a');
    return spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', file, file] });
  };
  let child = start();
  return {
    crash: () => {
      child.kill('SIGKILL');
      child = start();
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
};

const answers = async (url: string): Promise<true | undefined> =>
  fetch(url).then(
    ({ ok }) => (ok ? true : undefined),
    () => undefined,
  );

/**
 * The peer's router: the same Traefik as the sandbox's, with the provider that the peer writes to
 * and the same throttling.
 */
export const startRouter = async (stack: Stack): Promise<Process & { url: string }> => {
  const { path: binary } = await locateTool('traefik', { onProgress: () => undefined });
  const [http = 0, administration = 0] = await chooseFreePorts(2);
  const router = startProcess({
    binary,
    args: [
      `--entrypoints.web.address=127.0.0.1:${String(http)}`,
      `--entrypoints.traefik.address=127.0.0.1:${String(administration)}`,
      '--ping=true',
      '--providers.kubernetescrd=true',
      '--providers.providersThrottleDuration=100ms',
      '--global.checknewversion=false',
      '--global.sendanonymoususage=false',
    ],
    env: { KUBECONFIG: stack.kubeconfigPath },
    log: path.join(stack.directory, 'peer-traefik.log'),
  });
  await waitFor('the router of the peer', () =>
    answers(`http://127.0.0.1:${String(administration)}/ping`),
  );
  return { ...router, url: `http://127.0.0.1:${String(http)}` };
};

export const startController = async (stack: Stack, binary: string): Promise<Process> => {
  const [metrics = 0, health = 0] = await chooseFreePorts(2);
  const controller = startProcess({
    binary,
    args: [
      `--kubeconfig=${stack.kubeconfigPath}`,
      `--context=${stack.context}`,
      '--namespace=argo-rollouts',
      '--leader-elect=false',
      `--metricsPort=${String(metrics)}`,
      `--healthzPort=${String(health)}`,
    ],
    env: {},
    log: path.join(stack.directory, 'peer-controller.log'),
  });
  await waitFor('the controller of the peer', () =>
    answers(`http://127.0.0.1:${String(health)}/healthz`),
  );
  return controller;
};
