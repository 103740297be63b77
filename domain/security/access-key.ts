/** What a key may be used for; an empty list means: whatever its holder may do. */
export interface KeyScope {
  environments: readonly string[];
  /** Actions, such as `deployService.start`. */
  actions: readonly string[];
}

/** An access key as it is stored: everything but the secret, which only its holder has. */
export interface AccessKeyEntry {
  id: string;
  /** Who signs with it: a person or a service account of the directory. */
  holder: string;
  /** Ed25519, 32 bytes in base64url. Verifies what the secret signed, and can sign nothing. */
  publicKey: string;
  scope: KeyScope;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601. */
  expiresAt: string;
  /** ISO 8601; absent while the key is good. */
  revokedAt?: string;
}

/** Access keys, without the secrets of their holders. */
export interface AccessKeys {
  find(id: string): Promise<AccessKeyEntry | undefined>;
  /** The newest first. */
  list(): Promise<AccessKeyEntry[]>;
  add(entry: AccessKeyEntry): Promise<void>;
  /** Takes a key out of use at once. False if there is none of this id. */
  revoke(id: string, atIso: string): Promise<boolean>;
  /** Lets a key end earlier than it would. False if there is none of this id. */
  endAt(id: string, atIso: string): Promise<boolean>;
}

export interface KeyUse {
  atMs: number;
  environment: string;
  action: string;
}

/** Why the key cannot be used for this, as the end of a sentence; undefined if it can. */
export const keyProblem = (key: AccessKeyEntry, use: KeyUse): string | undefined => {
  const { id, revokedAt, expiresAt, scope } = key;
  if (revokedAt !== undefined) return `the access key ${id} was revoked at ${revokedAt}`;
  if (Date.parse(expiresAt) <= use.atMs) return `the access key ${id} expired at ${expiresAt}`;
  if (!covers(scope.environments, use.environment)) {
    return `the access key ${id} is for ${scope.environments.join(', ')} only`;
  }
  return covers(scope.actions, use.action)
    ? undefined
    : `the access key ${id} is for ${scope.actions.join(', ')} only`;
};

const covers = (allowed: readonly string[], asked: string): boolean =>
  allowed.length === 0 || allowed.includes(asked);

/** The keys with one revoked; undefined if there is none of this id. A second time changes nothing. */
export const withRevokedAccessKey = (
  keys: readonly AccessKeyEntry[],
  { id, at }: { id: string; at: string },
): AccessKeyEntry[] | undefined => {
  if (!keys.some((key) => key.id === id)) return undefined;
  return keys.map((key) => (key.id === id ? { ...key, revokedAt: key.revokedAt ?? at } : key));
};
