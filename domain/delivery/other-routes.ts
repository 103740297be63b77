import type { KubernetesObject } from './kubernetes-object.ts';
import { describeObject } from './manifest-set.ts';
import { backendFor, rulesOf, type BackendPair } from './route-backends.ts';

/** Routes of the namespace that send to the same Services, but are not the one that is shifted. */
export const otherRouteNotes = (
  routes: readonly KubernetesObject[],
  pairs: readonly BackendPair[],
  named: KubernetesObject,
): string[] =>
  routes
    .filter((route) => describeObject(route) !== describeObject(named))
    .flatMap((route) => {
      const pair = pairs.find(({ stable }) =>
        rulesOf(route).some((rule) => backendFor(route, rule, stable) !== undefined),
      );
      return pair === undefined
        ? []
        : [
            `${describeObject(route)} sends to Service/${pair.stable} too, and all of it stays with the old version until that is updated.`,
          ];
    });
