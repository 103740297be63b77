import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import {
  ApiError,
  isHidden,
  isPreconditionFailure,
} from '../../../activities/kubernetes/api-error.ts';
import type { ApiClient } from '../../../activities/kubernetes/api-client.ts';
import { openChangeFeed } from '../../../activities/kubernetes/change-feed.ts';
import { collectionPath, collections } from '../../../activities/kubernetes/object-access.ts';
import { isRecord, listAt, numberAt, stringAt } from '../../../domain/delivery/canonical-json.ts';
import { locateTool } from '../../../sandbox/index.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const plurals = ['httproutes', 'grpcroutes'];
const routes = [collections.httpRoutes, collections.grpcRoutes];
const longestWaitMs = 1_000;

/** Teaches a cluster without a gateway the kinds of routes, as the Gateway API publishes them. */
export const installRoutes = async (api: ApiClient): Promise<void> => {
  const { path: folder } = await locateTool('gateway-definitions', {
    onProgress: () => undefined,
  });
  const texts = plurals.map(async (plural) =>
    readFile(path.join(folder, `gateway.networking.k8s.io_${plural}.yaml`), 'utf8'),
  );
  const documents = (await Promise.all(texts)).flatMap((text) => parseAllDocuments(text));
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

/** Between being stored and being served a kind is hidden, or its storage is not ready. */
const isComing = (error: unknown): boolean =>
  isHidden(error) || (error instanceof ApiError && error.status === 429);

/** The definition is stored before its path is served. */
const untilServed = async (api: ApiClient, collection: string): Promise<void> => {
  for (;;) {
    try {
      await api.call({ method: 'GET', path: collection });
      return;
    } catch (error) {
      if (!isComing(error)) throw error;
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

/** Which gateways report: all that a route names, or only these. */
type Reporting = true | readonly string[];

const reports = (reporting: Reporting, parentRef: unknown): boolean =>
  reporting === true || reporting.includes(stringAt(parentRef, 'name') ?? '');

const hasReported = (parent: unknown, generation: number): boolean => {
  const conditions = listAt(parent, 'conditions').filter(isRecord);
  return (
    conditions.length > 0 &&
    conditions.every(({ observedGeneration }) => observedGeneration === generation)
  );
};

/** Those who report do so of this generation; what others said before stays. */
const report = async (
  at: { api: ApiClient; collection: string; reporting: Reporting },
  route: unknown,
): Promise<void> => {
  const { api, collection, reporting } = at;
  const generation = numberAt(route, 'metadata', 'generation') ?? 0;
  const reported = listAt(route, 'status', 'parents');
  const saidOf = (parentRef: unknown): unknown =>
    reported.find(
      (parent) => stringAt(parent, 'parentRef', 'name') === stringAt(parentRef, 'name'),
    );
  const refs = listAt(route, 'spec', 'parentRefs');
  const speaking = refs.filter((parentRef) => reports(reporting, parentRef));
  if (speaking.every((parentRef) => hasReported(saidOf(parentRef), generation))) return;
  const silent = refs.filter((parentRef) => !speaking.includes(parentRef)).map(saidOf);
  const parents = [
    ...silent.filter((said) => said !== undefined),
    ...speaking.map((parentRef) => ({
      parentRef,
      controllerName: 'holdfast.dev/played-gateway',
      conditions: conditionsAt(generation),
    })),
  ];
  await api.call({
    method: 'PATCH',
    path: `${collection}/${stringAt(route, 'metadata', 'name') ?? ''}/status`,
    contentType: 'application/merge-patch+json',
    body: { status: { parents } },
  });
};

const playRound = async (at: Parameters<typeof report>[0]): Promise<void> => {
  const { items } = (await at.api.call({ method: 'GET', path: at.collection })) as {
    items: unknown[];
  };
  for (const route of items) {
    await report(at, route).catch((error: unknown) => {
      // The route changed or went meanwhile: the next round sees it.
      if (!isHidden(error) && !isPreconditionFailure(error)) throw error;
    });
  }
};

/** Plays the gateway of a namespace: takes every route and reports on it, until it is stopped. */
export const playGateway = async (
  api: ApiClient,
  namespace: string,
  reporting: Reporting = true,
): Promise<{ stop: () => Promise<void> }> => {
  const served = routes.map((collection) => collectionPath(namespace, collection));
  await Promise.all(served.map(async (collection) => untilServed(api, collection)));
  const cluster = { api, namespace, environment: 'played', carriesTraffic: false, uid: '' };
  const feed = openChangeFeed(cluster, routes);
  const stopped = Promise.withResolvers<undefined>();
  let playing = true;
  const playOn = async (): Promise<void> => {
    try {
      while (playing) {
        for (const collection of served) await playRound({ api, collection, reporting });
        await Promise.race([feed.next(longestWaitMs), stopped.promise]);
      }
    } finally {
      feed.close();
    }
  };
  const played = playOn();
  return {
    stop: async () => {
      playing = false;
      stopped.resolve(undefined);
      await played;
    },
  };
};
