import {
  chainOf,
  firstChain,
  hexOf,
  leafOf,
  personRef,
  type AuditBody,
  type AuditPerson,
  type AuditRecord,
} from './audit-record.ts';
import {
  appendLeaf,
  emptyRange,
  equalHashes,
  rootOf,
  type CompactRange,
  type Hash,
  type HashFunction,
} from './merkle-tree.ts';

/** What was done to a log. `restored`: an older state of it is there, or one written on from there. */
export type AuditDamage = 'changed' | 'deleted' | 'swapped' | 'truncated' | 'restored';

export interface AuditFinding {
  damage: AuditDamage;
  /** Of the first bad record. */
  position: number;
  /** Where it is known only that one of several records is bad: the last of them. */
  upTo?: number;
  detail: string;
}

/** What is known of the log from outside of the database. */
export interface AuditAnchor {
  /** Signed heads, by size. */
  heads: readonly { size: number; root: Hash }[];
  /** Hashes of the records, from the first on, as they were when the heads were exported. */
  leaves: readonly Hash[];
  /** The greatest head that the database itself still knows of. */
  claimedSize?: number | undefined;
}

export interface AuditVerification {
  size: number;
  root: Hash;
  finding: AuditFinding | undefined;
  /** How many of the records a head from outside vouches for. */
  anchored: number;
}

interface Progress {
  hash: HashFunction;
  log: string;
  anchor: AuditAnchor;
  rootBySize: ReadonlyMap<number, Hash>;
  /** References whose name is not the one that they were made from. */
  misnamed: ReadonlySet<string>;
  range: CompactRange;
  chain: Hash;
  /** The first record that is sound in itself and not the one that was exported. */
  foreignAt: number | undefined;
  /** Whether a record behind that one is as it was exported. */
  goesOnAsBefore: boolean;
}

/** What a log is held against. */
export interface KnownOfLog {
  hash: HashFunction;
  log: string;
  anchor: AuditAnchor;
  /** Who the records are about, as far as that is still told. */
  people: readonly AuditPerson[];
}

/** Reads the whole log, and names the first record that is not what it was. */
export const verifyRecords = async (
  { people, ...known }: KnownOfLog,
  records: AsyncIterable<AuditRecord>,
): Promise<AuditVerification> => {
  const progress: Progress = {
    ...known,
    rootBySize: new Map(known.anchor.heads.map(({ size, root }) => [size, root])),
    misnamed: misnamedOf(known.hash, people),
    range: emptyRange,
    chain: firstChain,
    foreignAt: undefined,
    goesOnAsBefore: false,
  };
  let finding: AuditFinding | undefined;
  let current: AuditRecord | undefined;
  for await (const next of records) {
    if (current !== undefined) finding ??= checkRecord(progress, current, next);
    if (finding !== undefined) break;
    current = next;
  }
  if (current !== undefined) finding ??= checkRecord(progress, current, undefined);
  finding ??= checkEnd(progress);
  return {
    size: progress.range.size,
    root: rootOf(progress.hash, progress.range),
    finding,
    anchored: finding === undefined ? greatestOf(progress.anchor) : 0,
  };
};

const misnamedOf = (hash: HashFunction, people: readonly AuditPerson[]): ReadonlySet<string> =>
  new Set(
    people
      .filter(({ ref, salt, name }) => personRef(hash, salt, name) !== ref)
      .map(({ ref }) => ref),
  );

/** Of the heads below a size; 0 where there is none. */
const greatestOf = ({ heads }: AuditAnchor, below = Infinity): number =>
  heads.reduce((greatest, { size }) => (size < below ? Math.max(greatest, size) : greatest), 0);

const checkRecord = (
  progress: Progress,
  record: AuditRecord,
  next: AuditRecord | undefined,
): AuditFinding | undefined => {
  const { hash, range } = progress;
  const leaf = leafOf(hash, record.body);
  const chain = chainOf(hash, progress.chain, leaf);
  const finding =
    checkPlace(progress, record, next) ?? checkHashes(range.size, { record, leaf, chain });
  if (finding !== undefined) return finding;
  compareWithExport(progress, leaf);
  progress.range = appendLeaf(hash, range, leaf).range;
  progress.chain = chain;
  return checkHead(progress);
};

/** A record says itself where it belongs, and that is part of what is hashed. */
const checkPlace = (
  { range: { size: here }, log, misnamed }: Progress,
  record: AuditRecord,
  next: AuditRecord | undefined,
): AuditFinding | undefined => {
  const told = placeOf(record);
  if (told?.log !== log) {
    return changed(here, `it is no record of the log ${log}`);
  }
  if (told.position === here && record.position === here) {
    return misnamed.has(told.actorRef)
      ? changed(here, 'who did it is not the one it was recorded with')
      : undefined;
  }
  if (told.position === here) return changed(here, `its row has the number ${record.position}`);
  if (told.position > here && followsOn(told.position, next)) {
    const missing = told.position - here;
    const detail = missing === 1 ? 'it is not there' : `${missing} records are not there`;
    return { damage: 'deleted', position: here, detail };
  }
  const detail = `in its place is the record of position ${told.position}`;
  return { damage: 'swapped', position: here, detail };
};

const followsOn = (position: number, next: AuditRecord | undefined): boolean =>
  next === undefined || placeOf(next)?.position === position + 1;

interface TellsOfItself {
  log: string;
  position: number;
  actorRef: string;
}

/** Whoever changed a record need not have left it in its form. */
const placeOf = ({ body }: AuditRecord): TellsOfItself | undefined => {
  try {
    const { log = '', position = -1, actor } = Object(JSON.parse(body)) as Partial<AuditBody>;
    return { log, position, actorRef: actor?.ref ?? '' };
  } catch {
    return undefined;
  }
};

const changed = (position: number, detail: string): AuditFinding => ({
  damage: 'changed',
  position,
  detail,
});

const checkHashes = (
  here: number,
  { record, leaf, chain }: { record: AuditRecord; leaf: Hash; chain: Hash },
): AuditFinding | undefined => {
  if (!equalHashes(leaf, record.leaf)) {
    return changed(here, 'its content is not what its hash was made of');
  }
  if (!equalHashes(chain, record.chain)) {
    return changed(here, 'its hash is not the one that the chain goes on with');
  }
  return undefined;
};

/** Which of several things was done shows only behind this record, so that reading goes on. */
const compareWithExport = (progress: Progress, leaf: Hash): void => {
  const here = progress.range.size;
  const exported = progress.anchor.leaves[here];
  if (exported === undefined) return;
  if (!equalHashes(leaf, exported)) progress.foreignAt ??= here;
  else if (progress.foreignAt !== undefined) progress.goesOnAsBefore = true;
};

/** A root that is wrong though all leaves are as exported, or where no leaves were exported. */
const checkHead = ({
  hash,
  range,
  anchor,
  rootBySize,
  foreignAt,
}: Progress): AuditFinding | undefined => {
  const signed = rootBySize.get(range.size);
  if (signed === undefined || foreignAt !== undefined) return undefined;
  const root = rootOf(hash, range);
  if (equalHashes(root, signed)) return undefined;
  const before = greatestOf(anchor, range.size);
  return {
    damage: 'changed',
    position: before,
    upTo: range.size - 1,
    detail: `the signed head of ${range.size} records has the root ${hexOf(signed)}, these have ${hexOf(root)}`,
  };
};

const checkEnd = ({
  range: { size },
  anchor,
  foreignAt,
  goesOnAsBefore,
}: Progress): AuditFinding | undefined => {
  const signed = Math.max(anchor.claimedSize ?? 0, greatestOf(anchor));
  const exported = Math.min(anchor.leaves.length, size);
  if (foreignAt !== undefined) {
    if (goesOnAsBefore || (foreignAt === exported - 1 && size >= signed)) {
      return changed(foreignAt, 'it is another record than the one that was exported');
    }
    const detail = `from here on the records are others than those that were exported: an older state was restored and written on, or all of them were rewritten`;
    return { damage: 'restored', position: foreignAt, detail };
  }
  if (size >= signed) return undefined;
  const lost = `${signed - size} of ${signed} records that a head vouches for are not there`;
  if ((anchor.claimedSize ?? signed) > size) {
    return { damage: 'truncated', position: size, detail: lost };
  }
  const detail = `${lost}, and the database knows of no such head: an older state was restored`;
  return { damage: 'restored', position: size, detail };
};
