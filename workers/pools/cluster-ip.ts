import type { Environments } from '../../activities/kubernetes/environments.ts';
import { translated } from '../../activities/kubernetes/error-translation.ts';
import { readObject } from '../../activities/kubernetes/object-access.ts';
import type { ResolveClusterIp } from '../../activities/traffic/index.ts';
import { stringAt } from '../../domain/delivery/canonical-json.ts';

/** Capabilities do not know each other: the prober gets its one look at the cluster from here. */
export const clusterIpFrom =
  (environments: Environments): ResolveClusterIp =>
  async ({ environment, service }) => {
    const subject = `Service/${service}`;
    const cluster = await environments.locate(environment);
    const object = await translated({ subject }, async () =>
      readObject(cluster, { apiVersion: 'v1', kind: 'Service', name: service }),
    );
    return stringAt(object, 'spec', 'clusterIP');
  };
