/**
 * The lock of one service: who holds it, who waits, and which epochs were given
 * out. Pure transitions; the entity workflow carries them out.
 */
export interface LockState<Claim extends LockClaimed, Holder extends LockClaimed> {
  holder?: Holder;
  queue: Claim[];
  settledRequestIds: string[];
}

export interface LockClaimed {
  requestId: string;
  /** Absent on a claim that was made before there was a choice: `wait`. */
  queue?: QueuePolicy;
}

/**
 * How a claim queues. `wait`: first come, first served. `supersede`: takes the place of
 * whoever waits. `hotfix`: goes before every claim that is none, and is never superseded.
 */
export type QueuePolicy = 'wait' | 'supersede' | 'hotfix';

/**
 * Waiting runs beyond this are refused with QUEUE_FULL. Hotfixes are counted apart, because
 * ordinary releases must not keep one out.
 */
export const longestQueue = 20;

/** Releases that an entity remembers, and keeps the config objects of. */
export const rememberedReleases = 5;

const rememberedRequests = 50;

/** Workflow id of the entity that holds the lock of a service. */
export const serviceEntityId = (environment: string, service: string): string =>
  `service:${environment}:${service}`;

/**
 * Greater than every epoch that was ever given out and than every fence on a live
 * object: Temporal can be wiped while the cluster is not. Two apart, because the
 * way back of a release uses the epoch after its own.
 */
export const nextEpoch = (lastEpoch: number, highestLiveFence: number): number =>
  Math.max(lastEpoch + 2, highestLiveFence + 1);

export type Placement = { position: number } | { refused: 'QUEUE_FULL' };

/** Where a claim stands: 0 holds or held the lock, 1 is next. */
export const placeOf = <C extends LockClaimed, H extends LockClaimed>(
  state: LockState<C, H>,
  requestId: string,
): number | undefined => {
  if (state.holder?.requestId === requestId) return 0;
  if (state.settledRequestIds.includes(requestId)) return 0;
  const index = state.queue.findIndex((claim) => claim.requestId === requestId);
  return index === -1 ? undefined : index + 1;
};

/** Queues a claim once, however often it is made; only the first time it supersedes others. */
export const claimLock = <C extends LockClaimed, H extends LockClaimed>(
  state: LockState<C, H>,
  claim: C,
): { queue: C[]; placement: Placement; superseded: C[] } => {
  const { queue } = state;
  const place = placeOf(state, claim.requestId);
  if (place !== undefined) return { queue, placement: { position: place }, superseded: [] };
  const hotfixes = queue.filter(isHotfix);
  const others = queue.filter((waiting) => !isHotfix(waiting));
  const superseded = claim.queue === 'supersede' ? others : [];
  const stay = claim.queue === 'supersede' ? [] : others;
  const alike = isHotfix(claim) ? hotfixes : stay;
  if (alike.length >= longestQueue) {
    return { queue, placement: { refused: 'QUEUE_FULL' }, superseded: [] };
  }
  const joined = isHotfix(claim) ? [...hotfixes, claim, ...stay] : [...hotfixes, ...stay, claim];
  return { queue: joined, placement: { position: joined.indexOf(claim) + 1 }, superseded };
};

const isHotfix = ({ queue }: LockClaimed): boolean => queue === 'hotfix';

/** The queue after a claim was granted, refused or withdrawn. */
export const withoutClaim = <C extends LockClaimed>(queue: readonly C[], requestId: string): C[] =>
  queue.filter((claim) => claim.requestId !== requestId);

/** What is known of a holder that has the lock but writes nothing any more for a time. */
export interface RetainingHolder extends LockClaimed {
  /** Set while the holder only keeps the version before, ready to take everything back. */
  isRetaining?: boolean;
  /** The release for which the holder was asked to end that. */
  wantedBy?: string;
}

/**
 * The claim for which a holder that only retains must be asked, once, to go on: nobody waits
 * an hour for a lock that nobody needs. The next plan is made when it is given back.
 */
export const claimToEndRetention = <C extends LockClaimed>({
  holder,
  queue: [next],
}: {
  holder?: RetainingHolder;
  queue: readonly C[];
}): C | undefined =>
  holder?.isRetaining === true && holder.wantedBy === undefined ? next : undefined;

/** Newest first, without duplicates, bounded. */
export const remember = (list: readonly string[], item: string, most: number): string[] =>
  [item, ...list.filter((other) => other !== item)].slice(0, most);

export const settleRequest = (settled: readonly string[], requestId: string): string[] =>
  remember(settled, requestId, rememberedRequests);

/** What the memory of releases needs to know about one. */
export interface RememberedRelease {
  release: string;
  outcome: string;
}

interface ReleaseMemory<R extends RememberedRelease> {
  lastGood?: R;
  releases: R[];
  unwoundReleases: string[];
  unsweptReleases: string[];
}

const isGood = ({ outcome }: RememberedRelease): boolean =>
  outcome === 'deployed' || outcome === 'adopted';

const wasUnwound = ({ outcome }: RememberedRelease): boolean =>
  outcome === 'restored-exactly' || outcome === 'restored-with-exceptions';

/** Adds a release that touched something; a release of the same name replaces the older one. */
export const rememberRelease = <R extends RememberedRelease>(
  memory: ReleaseMemory<R>,
  record: R,
): ReleaseMemory<R> => {
  const others = memory.releases.filter(({ release }) => release !== record.release);
  const releases = [record, ...others].slice(0, rememberedReleases);
  const without = (list: string[]): string[] => list.filter((name) => name !== record.release);
  const lists = wasUnwound(record)
    ? {
        unwoundReleases: remember(memory.unwoundReleases, record.release, rememberedReleases),
        unsweptReleases: remember(memory.unsweptReleases, record.release, rememberedReleases),
      }
    : {
        unwoundReleases: without(memory.unwoundReleases),
        unsweptReleases: without(memory.unsweptReleases),
      };
  const lastGood = isGood(record) ? record : memory.lastGood;
  return { ...lists, releases, ...(lastGood === undefined ? {} : { lastGood }) };
};

/** Releases whose config objects stay, because a rollback may want them. */
export const keptReleases = <R extends RememberedRelease>(memory: ReleaseMemory<R>): string[] => {
  const good = memory.releases.filter(isGood).map(({ release }) => release);
  const last = memory.lastGood?.release;
  return last === undefined || good.includes(last) ? good : [...good, last];
};

/**
 * A release that is tried again under the same name is not swept away by itself,
 * so it is left out of what the new attempt gets to sweep.
 */
export const unwoundExcept = (unwound: readonly string[], release: string): string[] =>
  unwound.filter((name) => name !== release);
