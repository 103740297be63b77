import { stringAt } from '../../domain/delivery/canonical-json.ts';
import type { Environments } from './environments.ts';
import { translated } from './error-translation.ts';
import { readObject } from './object-access.ts';

/** Looks up the ClusterIP of a Service, for probes that go straight to it. */
export const createClusterIpLookup =
  (environments: Environments) =>
  async (request: { environment: string; service: string }): Promise<string | undefined> => {
    const cluster = await environments.locate(request.environment);
    const ref = { apiVersion: 'v1', kind: 'Service', name: request.service };
    return translated({ subject: `Service/${request.service}` }, async () =>
      stringAt(await readObject(cluster, ref), 'spec', 'clusterIP'),
    );
  };
