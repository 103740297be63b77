/** What is known when traffic is to go back to the stable workload. */
export interface ReturnFacts {
  /** Pods that all the traffic needs by the plan. */
  plannedPods: number;
  stable: { wantedPods: number; readyPods: number };
  candidate: {
    /** Pods that the release gave it at most; with more it has grown with the traffic. */
    givenPods: number;
    /** Undefined where nobody could tell. */
    readyPods: number | undefined;
  };
  /** The stable workload was asked to have what it lacks: more than it wants now it will not get. */
  isRaised: boolean;
}

export interface ReturnMove {
  /** Share of the traffic that the candidate keeps at most: 0, or what nobody else could carry. */
  weightPercent: number;
  /** Pods that the stable workload is to have, where it wants fewer. */
  raiseTo?: number;
  /** Ready pods of the stable workload at which it can take more; absent once it has everything. */
  nextAtPods?: number;
}

/** A move is worth a write to the route where it is at least this part of the whole. */
const movesAtMost = 5;

const neededPods = ({ plannedPods, stable, candidate, isRaised }: ReturnFacts): number => {
  const { givenPods, readyPods = 0 } = candidate;
  const needed = readyPods > givenPods ? Math.max(plannedPods, readyPods) : plannedPods;
  return isRaised ? Math.min(needed, stable.wantedPods) : needed;
};

/**
 * How much of the traffic the stable workload can take back now. Its ready pods get no more than
 * their part of what all traffic needs: one jump onto too few of them would fell these too. Where
 * the candidate has no ready pod, any other is better.
 */
export const returnMove = (facts: ReturnFacts): ReturnMove => {
  const { stable, candidate, isRaised } = facts;
  const { readyPods, wantedPods } = stable;
  const needed = neededPods(facts);
  const isGone = candidate.readyPods === 0;
  if (readyPods > 0 && (isGone || readyPods >= needed)) return { weightPercent: 0 };
  const carriedPercent = Math.floor((100 * readyPods) / Math.max(1, needed));
  const more = isGone ? 1 : Math.ceil(needed / movesAtMost);
  return {
    weightPercent: 100 - carriedPercent,
    ...(isRaised || wantedPods >= needed ? {} : { raiseTo: needed }),
    nextAtPods: Math.max(1, Math.min(needed, readyPods + more)),
  };
};
