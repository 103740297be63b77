import { createReleaseLane, type ReleaseLane, type Stack } from './release-lane.ts';

/** What one case has to itself: a lane until it ends, and a namespace for good. */
export interface Place {
  lane: ReleaseLane;
  namespace: string;
}

/** A few lanes for many short cases; a worker is started once for all cases of its lane. */
export interface ReleaseTracks {
  /** Waits for a free lane and does the work in it. */
  use<Result>(work: (place: Place) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

interface Track {
  lane: ReleaseLane;
  namespaces: string[];
}

/** More than any lane plays; an environment that nobody uses costs one line of a file. */
const namespacesPerLane = 200;

const createTrack = async (stack: Stack, name: string): Promise<Track> => {
  const namespaces = Array.from(
    { length: namespacesPerLane },
    (_, index) => `${name}-${String(index)}`,
  );
  const lane = await createReleaseLane(stack, {
    name,
    environments: namespaces,
    timeouts: 'test',
    throughProxy: true,
  });
  return { lane, namespaces };
};

const takeNamespace = ({ lane, namespaces }: Track): string => {
  const namespace = namespaces.shift();
  if (namespace === undefined) throw new Error(`no namespace is left for ${lane.name}`);
  return namespace;
};

/** `name` is part of the name of every namespace. */
export const openTracks = async (
  stack: Stack,
  { name, lanes }: { name: string; lanes: number },
): Promise<ReleaseTracks> => {
  // The cluster may have seen the same before, and its namespaces stay.
  const run = Date.now().toString(36);
  const names = Array.from({ length: lanes }, (_, index) => `${name}-${run}-${String(index)}`);
  const tracks = await Promise.all(names.map((lane) => createTrack(stack, lane)));
  const free = [...tracks];
  const waiting: ((track: Track) => void)[] = [];
  const take = (): Promise<Track> => {
    const track = free.shift();
    if (track !== undefined) return Promise.resolve(track);
    return new Promise((resolve) => waiting.push(resolve));
  };
  const giveBack = (track: Track): void => {
    const next = waiting.shift();
    if (next === undefined) free.push(track);
    else next(track);
  };
  return {
    use: async (work) => {
      const track = await take();
      try {
        return await work({ lane: track.lane, namespace: takeNamespace(track) });
      } finally {
        giveBack(track);
      }
    },
    close: async () => {
      await Promise.all(tracks.map(({ lane }) => lane.close()));
    },
  };
};
