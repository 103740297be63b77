import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { isHidden, isPreconditionFailure } from '../../../activities/kubernetes/api-error.ts';
import type { ApiClient } from '../../../activities/kubernetes/api-client.ts';
import { isRecord, listAt, numberAt, stringAt } from '../../../domain/delivery/canonical-json.ts';
import { locateTool } from '../../../sandbox/index.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const routes = 'gateway.networking.k8s.io_httproutes.yaml';

/** Teaches a cluster without a gateway the kind HTTPRoute, as the Gateway API publishes it. */
export const installRoutes = async (api: ApiClient): Promise<void> => {
  const { path: folder } = await locateTool('gateway-definitions', {
    onProgress: () => undefined,
  });
  const documents = parseAllDocuments(await readFile(path.join(folder, routes), 'utf8'));
  for (const document of documents) {
    const definition: unknown = document.toJS();
    if (stringAt(definition, 'kind') !== 'CustomResourceDefinition') continue;
    await api.call({
      method: 'PATCH',
      path: `${definitions}/${stringAt(definition, 'metadata', 'name') ?? ''}`,
      query: { fieldManager: 'holdfast-test', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: definition,
    });
  }
};

/** The definition is stored before its path is served. */
const served = async (api: ApiClient, collection: string): Promise<void> => {
  for (;;) {
    try {
      await api.call({ method: 'GET', path: collection });
      return;
    } catch (error) {
      if (!isHidden(error)) throw error;
      await delay(50);
    }
  }
};

const conditionsAt = (generation: number) =>
  ['Accepted', 'ResolvedRefs'].map((type) => ({
    type,
    status: 'True',
    reason: type,
    message: '',
    observedGeneration: generation,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }));

const hasReported = (route: unknown, generation: number): boolean => {
  const [parent] = listAt(route, 'status', 'parents');
  const conditions = listAt(parent, 'conditions').filter(isRecord);
  return (
    conditions.length > 0 &&
    conditions.every(({ observedGeneration }) => observedGeneration === generation)
  );
};

const report = async (api: ApiClient, collection: string, route: unknown): Promise<void> => {
  const generation = numberAt(route, 'metadata', 'generation') ?? 0;
  if (hasReported(route, generation)) return;
  const parents = listAt(route, 'spec', 'parentRefs').map((parentRef) => ({
    parentRef,
    controllerName: 'holdfast.dev/played-gateway',
    conditions: conditionsAt(generation),
  }));
  await api.call({
    method: 'PATCH',
    path: `${collection}/${stringAt(route, 'metadata', 'name') ?? ''}/status`,
    contentType: 'application/merge-patch+json',
    body: { status: { parents } },
  });
};

/** Plays the gateway of a namespace: takes every route and reports on it, until it is stopped. */
export const playGateway = async (
  api: ApiClient,
  namespace: string,
): Promise<{ stop: () => Promise<void> }> => {
  const collection = `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes`;
  await served(api, collection);
  let playing = true;
  const playOn = async (): Promise<void> => {
    while (playing) {
      const { items } = (await api.call({ method: 'GET', path: collection })) as {
        items: unknown[];
      };
      for (const route of items) {
        await report(api, collection, route).catch((error: unknown) => {
          // The route changed or went meanwhile: the next round sees it.
          if (!isHidden(error) && !isPreconditionFailure(error)) throw error;
        });
      }
      await delay(50);
    }
  };
  const played = playOn();
  return {
    stop: async () => {
      playing = false;
      await played;
    },
  };
};
