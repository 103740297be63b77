import type { EndedRelease } from '../../domain/delivery/ended-release.ts';

/**
 * Content-addressed, encrypted bytes: manifest sets, plans, pre-images, logs.
 * Not visible to workflows; histories hold only digests.
 */
export interface BlobStore {
  /** Stores the bytes and returns `sha256:<hex>` of the plain text; storing twice is harmless. */
  put(bytes: Uint8Array): Promise<string>;
  /** @throws BLOB_UNREADABLE if missing, altered, or written with another key */
  get(digest: string): Promise<Uint8Array>;
  has(digest: string): Promise<boolean>;
}

/**
 * Releases that ended, each once, for as long as the store lives. Activity type
 * `releaseRecords.add`; who counts them reads them all.
 */
export interface ReleaseRecords {
  /** Adding a run again changes nothing. */
  add(record: EndedRelease): Promise<void>;
  all(): Promise<EndedRelease[]>;
}

/** A data key as it lies beside what it sealed. */
export interface WrappedKey {
  /** The key that wrapped it, as its keeper names it. */
  keyId: string;
  wrapped: Uint8Array;
}

/** What sealing needs of a key management: the key that wraps never comes here. */
export interface DataKeyWrapper {
  /** The place has to be named again to unwrap; a data key that was moved elsewhere stays shut. */
  wrap(dataKey: Uint8Array, place: string): Promise<WrappedKey>;
  unwrap(key: WrappedKey, place: string): Promise<Uint8Array>;
}
