import type { KeyObject } from 'node:crypto';

/** A key as the one who seals and opens holds it. A key object prints without its bytes. */
export interface RingKey {
  readonly id: string;
  readonly secret: KeyObject;
}

/** The keys that payloads are sealed with: one writes, the older ones read. */
export interface KeyRing {
  /** The key for what is written now. */
  active(): Promise<RingKey>;
  /** @throws PAYLOAD_KEY_MISSING, PAYLOAD_KEY_REVOKED; both name the id */
  find(id: string): Promise<RingKey>;
}

/** One request to the codec endpoint that was answered: who, where, how many, never what. */
export interface DecodeRecord {
  /** Id of the token that asked. */
  token: string;
  /** Who the token was made for. */
  holder: string;
  namespace: string;
  /** Payloads in the request. */
  payloads: number;
  /** Those of them that were sealed and are handed out open. */
  opened: number;
  /** Those of them that could not be opened and went back as they were. */
  refused: number;
}

/** Keeps who read what. */
export interface DecodeRecords {
  /** The answer is not given before this has settled. */
  add(record: DecodeRecord): Promise<void>;
}

/** A token for the codec endpoint as people see it: everything but the secret. */
export interface TokenEntry {
  id: string;
  /** Who it was made for. */
  holder: string;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601. */
  expiresAt: string;
}

/** Who may ask the codec endpoint. */
export interface CodecTokens {
  /** The entry of a token that is known and has not expired at `atMs`; undefined for any other text. */
  verify(token: string, atMs: number): Promise<TokenEntry | undefined>;
}

/** A data key as it lies beside what it sealed. */
export interface WrappedKey {
  /** The key that wrapped it, as its keeper names it. */
  keyId: string;
  wrapped: Uint8Array;
}

/** The key that wraps now, as people see it. */
export interface KeyDescription {
  /** Who keeps it. */
  keeper: 'key ring' | 'transit';
  keyId: string;
  /** Keys that what lies there may still be wrapped with, the active one included. */
  readableKeys: number;
}

/** Keeps keys that data keys are wrapped with; those keys never leave it. */
export interface KeyManagement {
  /** The place has to be named again to unwrap; a data key that was moved elsewhere stays shut. */
  wrap(dataKey: Uint8Array, place: string): Promise<WrappedKey>;
  /** @throws BLOB_UNREADABLE if altered or of another place; KEYS_UNREACHABLE, KEYS_ACCESS_DENIED */
  unwrap(key: WrappedKey, place: string): Promise<Uint8Array>;
  describe(): Promise<KeyDescription>;
  /** A new key wraps from now on; what the ones before wrapped stays readable. */
  rotate(): Promise<KeyDescription>;
}
