import type { EndedRelease } from '../../domain/delivery/ended-release.ts';
import type { AuditEntry, AuditPerson, AuditRecord } from '../../domain/security/audit-record.ts';
import type { CompactRange } from '../../domain/security/merkle-tree.ts';

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

/** An intent that nothing was heard of since. */
export interface OpenIntent {
  position: number;
  atMs: number;
  action: string;
  correlation: string;
  /** The run that it is about, if it is about one. */
  run?: string;
}

/**
 * What was asked, decided and done, in a log that only grows. Each record has a position without
 * gaps and vouches for all before it.
 */
export interface AuditLog {
  /** Settles when the entries are kept for good. One whose id is in the log keeps its place there. */
  append(entries: readonly AuditEntry[]): Promise<{ positions: number[] }>;
  size(): Promise<number>;
  /** Records from a position on, in their order. */
  read(range: { from: number; to?: number }): AsyncIterable<AuditRecord>;
  /** Those who were not erased. */
  people(): Promise<AuditPerson[]>;
  /** What the root of the log at a size is made from. @throws AUDIT_LOG_BROKEN */
  rangeAt(size: number): Promise<CompactRange>;
  /** Intents from before the moment that have no outcome, the oldest first. */
  openIntents(before: { beforeMs: number; limit: number }): Promise<OpenIntent[]>;
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
