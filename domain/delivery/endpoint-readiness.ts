export interface EndpointSides {
  /** uids of the pods behind the ready endpoints, by Service. */
  endpoints: ReadonlyMap<string, readonly string[]>;
  /** uids of the pods of the new version that are not being deleted. */
  ownUids: ReadonlySet<string>;
  /** How many pods the new version was given. */
  replicas: number;
}

export interface EndpointVerdict {
  settled: boolean;
  /** Ready endpoints of the new version, over all Services. */
  endpoints: number;
  waitingFor: string;
}

/**
 * Do all ready endpoints belong to the new version, and are there enough? An autoscaler may have
 * taken pods away since they were counted, so that those which are there suffice.
 */
export const endpointVerdict = (sides: EndpointSides): EndpointVerdict => {
  const needed = Math.min(
    sides.replicas,
    Math.max(sides.ownUids.size, Math.min(1, sides.replicas)),
  );
  let endpoints = 0;
  for (const [service, uids] of sides.endpoints) {
    const pods = new Set(uids);
    const own = [...pods].filter((uid) => sides.ownUids.has(uid)).length;
    const others = pods.size - own;
    endpoints += own;
    if (others > 0) {
      const waitingFor = `Service/${service} still has ${String(others)} ready endpoints of another version`;
      return { settled: false, endpoints, waitingFor };
    }
    if (own < needed) {
      const waitingFor = `Service/${service} has ${String(own)} of ${String(needed)} endpoints ready`;
      return { settled: false, endpoints, waitingFor };
    }
  }
  return { settled: true, endpoints, waitingFor: 'nothing is missing' };
};
