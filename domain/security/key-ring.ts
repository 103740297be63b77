/** What a key of the ring may still do. */
export type KeyState = 'active' | 'read-only' | 'revoked';

/** A key as people see it: everything but its bytes. */
export interface KeyEntry {
  /** Names the key in what it sealed. */
  id: string;
  /** ISO 8601. */
  createdAt: string;
  state: KeyState;
}

/** What is wrong with a ring as a whole, one sentence each; empty if nothing is. */
export const ringProblems = (keys: readonly KeyEntry[]): string[] => {
  const active = keys.filter(({ state }) => state === 'active');
  const ids = keys.map(({ id }) => id);
  const twice = [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
  return [
    ...(active.length === 1
      ? []
      : [`exactly one key must be active, and ${String(active.length)} are`]),
    ...twice.map((id) => `the id ${id} is there twice`),
  ];
};

/** The ring with a new key to write with; the one before stays for what it sealed. */
export const withNewKey = <Entry extends KeyEntry>(
  keys: readonly Entry[],
  added: Entry,
): Entry[] => [
  ...keys.map((key) => (key.state === 'active' ? { ...key, state: 'read-only' as const } : key)),
  { ...added, state: 'active' },
];

/** Why a key cannot be revoked. */
export type RevocationRefusal = 'unknown' | 'active';

/** The ring without the use of one key. The active one has to be replaced first. */
export const withRevokedKey = <Entry extends KeyEntry>(
  keys: readonly Entry[],
  id: string,
): Entry[] | RevocationRefusal => {
  const named = keys.find((key) => key.id === id);
  if (named === undefined) return 'unknown';
  if (named.state === 'active') return 'active';
  return keys.map((key) => (key === named ? { ...key, state: 'revoked' } : key));
};
