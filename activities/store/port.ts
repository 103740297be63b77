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
