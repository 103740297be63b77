/** Teaches the cluster the kinds of the Gateway API. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { ControlPlane } from '../kubernetes/control-plane.ts';
import { waitUntil } from '../state/wait-until.ts';
import { applyObject, objectPath } from './apply-object.ts';
import type { ClusterObject } from './gateway-objects.ts';

const ESTABLISHED_WITHIN_MS = 60_000;

/** Applies every definition of the directory and waits until the API server serves it. */
export async function applyGatewayDefinitions(
  cluster: ControlPlane,
  directory: string,
): Promise<void> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  await Promise.all(files.map(async (name) => applyFile(cluster, join(directory, name))));
}

async function applyFile(cluster: ControlPlane, path: string): Promise<void> {
  const documents = parseAllDocuments(await readFile(path, 'utf8'));
  const objects = documents.map((document) => document.toJS() as ClusterObject | null);
  for (const object of objects) {
    // The directory also holds a policy against mixing channels, which a sandbox does not do.
    if (object?.kind !== 'CustomResourceDefinition') continue;
    await applyObject(cluster, object);
    await established(cluster, object);
  }
}

interface DefinitionStatus {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

async function established(cluster: ControlPlane, definition: ClusterObject): Promise<void> {
  await waitUntil({
    what: `the kind ${definition.metadata.name} to be served`,
    probe: async () => {
      const { body } = await cluster.request({ method: 'GET', path: objectPath(definition) });
      return ((body as DefinitionStatus).status?.conditions ?? []).some(
        ({ type, status }) => type === 'Established' && status === 'True',
      );
    },
    processes: cluster.processes,
    needs: ['kube-apiserver'],
    timeoutMs: ESTABLISHED_WITHIN_MS,
  });
}
