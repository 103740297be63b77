import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { callApi, readConnection } from '../../test/e2e/checker/api-reader.ts';
import type { Stack } from '../../test/kill/release-rig.ts';
import { badGreeting } from './service-mix.ts';

export const editedObject = 'ConfigMap/shop-notes';
export const editedField = 'written-by-hand';

interface ConfigMap {
  data?: Record<string, string>;
}

const lookEveryMs = 200;

export interface EditByHand {
  namespace: string;
  value: string;
  /** Nothing is edited any more once the release has ended. */
  isOver: () => boolean;
}

/**
 * Someone's change by hand to an object that the release has written: as soon as the version
 * that will fail is in it. Says whether it was made.
 */
export const editByHand = async (
  stack: Stack,
  { namespace, value, isOver }: EditByHand,
): Promise<boolean> => {
  const connection = readConnection(stack.kubeconfigPath, stack.context);
  const agent = new https.Agent({ keepAlive: true });
  const path = `/api/v1/namespaces/${namespace}/configmaps/shop-notes`;
  try {
    while (!isOver()) {
      const { data } = (await callApi(connection, agent, { method: 'GET', path })) as ConfigMap;
      if (data?.['readme']?.includes(badGreeting) === true) {
        const body = { data: { [editedField]: value } };
        const contentType = 'application/merge-patch+json';
        await callApi(connection, agent, { method: 'PATCH', path, body, contentType });
        return true;
      }
      await delay(lookEveryMs);
    }
    return false;
  } finally {
    agent.destroy();
  }
};
