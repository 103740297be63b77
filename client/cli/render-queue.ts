import type { ServiceLockState } from '../../contracts/delivery/service-lock.ts';
import { paintTable, piece, type Canvas } from './paint.ts';

/** A release that waits for the lock of its service. */
export interface QueuePlace {
  /** 1 is next. */
  place: number;
  release: string;
  queue: NonNullable<ServiceLockState['queue'][number]['queue']>;
}

/** Who waits for a lock, the next one first. */
export const queueOf = (lock: ServiceLockState | null): QueuePlace[] =>
  (lock?.queue ?? []).map(({ release, queue = 'wait' }, index) => ({
    place: index + 1,
    release,
    queue,
  }));

/** A table below the tree of a run; no lines if nobody waits. */
export const renderQueue = (places: readonly QueuePlace[], canvas: Canvas): string[] => {
  if (places.length === 0) return [];
  const head = ['place', 'waiting', 'queue'].map((title) => piece(title, 'faint'));
  const rows = places.map(({ place, release, queue }) => [
    piece(String(place)),
    piece(release),
    piece(queue, queue === 'hotfix' ? 'busy' : 'plain'),
  ]);
  return ['', ...paintTable([head, ...rows], canvas)];
};
