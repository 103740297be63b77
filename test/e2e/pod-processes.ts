import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Shop } from './shop-under-traffic.ts';

/** Pods by their label `app.kubernetes.io/name`: the value tells old and new version apart. */
const podsPath = ({ namespace }: Shop, label: string): string =>
  `/api/v1/namespaces/${namespace}/pods?labelSelector=app.kubernetes.io%2Fname%3D${label}`;

interface ContainerStatus {
  ready: boolean;
  restartCount: number;
  state: { waiting?: { reason: string } };
}

/** The label of the new version while it runs beside the old one; undefined while it does not. */
export const newVersionOf = async (shop: Shop): Promise<string | undefined> => {
  const path = `/apis/apps/v1/namespaces/${shop.namespace}/deployments`;
  const names = (await shop.list(path)).map(({ metadata }) => metadata.name);
  return names.find((name) => /^shop-[0-9a-f]{6}$/.test(name));
};

/** Whose pods the Service of the users chooses. */
export const servedBy = async (shop: Shop): Promise<string | undefined> => {
  const service = await shop.get(`/api/v1/namespaces/${shop.namespace}/services/shop`);
  const { selector } = service['spec'] as { selector: Record<string, string> };
  return selector['app.kubernetes.io/name'];
};

/** State of the one container of each pod. */
export const containersOf = async (shop: Shop, label: string): Promise<ContainerStatus[]> =>
  (await shop.list(podsPath(shop, label))).flatMap(
    ({ status }) => (status as { containerStatuses?: ContainerStatus[] }).containerStatuses ?? [],
  );

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** Processes of the service in these pods; the one that only holds the namespaces is left alone. */
const processesIn = async (podUids: readonly string[]): Promise<number[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const groups = await textOf(`/proc/${pid}/cgroup`);
      if (!podUids.some((uid) => groups.includes(`pod${uid}/`))) return [];
      const command = await textOf(`/proc/${pid}/cmdline`);
      return command.startsWith('/shop\0') && !command.includes('pause') ? [Number(pid)] : [];
    }),
  );
  return found.flat();
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself meanwhile.
  }
};

const signalAll = async (shop: Shop, label: string, name: NodeJS.Signals): Promise<void> => {
  const uids = (await shop.list(podsPath(shop, label))).map(({ metadata }) => metadata.uid);
  for (const pid of await processesIn(uids)) signal(pid, name);
};

/** Sends the signal to whatever runs in the pods, again and again until it is stopped. */
const keepSending = (
  shop: Shop,
  label: string,
  name: NodeJS.Signals,
): { stop: () => Promise<void> } => {
  let going = true;
  const sendOn = async (): Promise<void> => {
    while (going) {
      await signalAll(shop, label, name);
      await delay(100);
    }
  };
  const sending = sendOn();
  return {
    stop: async () => {
      going = false;
      await sending;
    },
  };
};

/** Every container of the pods ends as soon as it has started: a crash loop. */
export const keepCrashing = (shop: Shop, label: string): { stop: () => Promise<void> } =>
  keepSending(shop, label, 'SIGKILL');

/** The pods answer nothing, and go on where they were when they are thawed. */
export const freeze = (shop: Shop, label: string): { thaw: () => Promise<void> } => {
  const sending = keepSending(shop, label, 'SIGSTOP');
  return {
    thaw: async () => {
      await sending.stop();
      await signalAll(shop, label, 'SIGCONT');
    },
  };
};
