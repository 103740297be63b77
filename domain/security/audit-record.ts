import { canonicalJson } from './canonical-json.ts';
import { leafHash, type Hash, type HashFunction } from './merkle-tree.ts';

/**
 * What is about to happen, what was done on the way, and how it ended. What is over when it is
 * recorded is an outcome.
 */
export type AuditPhase = 'intent' | 'effect' | 'outcome';

/** What someone tells the audit log. */
export interface AuditEntry {
  /** The same for every attempt to record the same fact: it is in the log once. */
  id: string;
  /** When it happened, by the clock of who records it. */
  atMs: number;
  actor: { name: string; verification: 'verified' | 'unverified' };
  /** As operators say it: `deploy`, `approve`, `payloads.decode`. */
  action: string;
  /** What it is about, by names that people know. */
  subject: Readonly<Record<string, string>>;
  reason?: string;
  /** Absent where nothing had to be decided. `rule`: what decided it. */
  decision?: { verdict: 'allowed' | 'refused'; rule: string };
  phase: AuditPhase;
  /** The same for an intent, its effects and its outcome. */
  correlation: string;
  /** How it ended. */
  result?: string;
  /** Where the details are, and their digest; never the details themselves. */
  payload?: { digest?: string; reference?: string };
}

/**
 * Who a record is about. The record holds only `ref`, the hash of a salt and the name: when both are
 * erased nobody can tell who it was, and every proof still holds.
 */
export interface AuditPerson {
  ref: string;
  salt: string;
  name: string;
}

/** What is hashed: the entry at its place in its log. */
export interface AuditBody extends Omit<AuditEntry, 'actor' | 'atMs'> {
  version: 1;
  log: string;
  position: number;
  /** ISO 8601. */
  at: string;
  actor: { ref: string; verification: AuditEntry['actor']['verification'] };
}

/** A record as it is stored and exported. */
export interface AuditRecord {
  position: number;
  /** Canonical JSON of an `AuditBody`. */
  body: string;
  leaf: Hash;
  chain: Hash;
}

const utf8 = new TextEncoder();

export const personRef = (hash: HashFunction, salt: string, name: string): string =>
  hexOf(hash(utf8.encode(`${salt}\n${name}`)));

export const bodyOf = (
  { atMs, actor, ...entry }: AuditEntry,
  place: { log: string; position: number; actorRef: string },
): string => {
  const { log, position, actorRef } = place;
  const body: AuditBody = {
    version: 1,
    log,
    position,
    at: new Date(atMs).toISOString(),
    actor: { ref: actorRef, verification: actor.verification },
    ...entry,
  };
  return canonicalJson(body);
};

export const leafOf = (hash: HashFunction, body: string): Hash => leafHash(hash, utf8.encode(body));

/** Of a log without records. */
export const firstChain: Hash = new Uint8Array(32);

/** Each record vouches for all before it. */
export const chainOf = (hash: HashFunction, before: Hash, leaf: Hash): Hash => {
  const bytes = new Uint8Array(before.length + leaf.length);
  bytes.set(before);
  bytes.set(leaf, before.length);
  return hash(bytes);
};

export const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
