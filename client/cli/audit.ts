import path from 'node:path';
import {
  auditKeyIn,
  exportLine,
  exportTargets,
  openHeadSigner,
  peopleInExport,
  readExport,
  readHeads,
  recordEvent,
} from '../../activities/store/audit/index.ts';
import * as postgres from '../../activities/store/postgres/index.ts';
import { blobSettingsOf } from '../../activities/store/blob-settings.ts';
import type { AuditLog } from '../../activities/store/port.ts';
import { sha256 } from '../../activities/store/sha256.ts';
import {
  verifyRecords,
  type AuditFinding,
  type AuditVerification,
} from '../../domain/security/audit-verification.ts';
import { readSurroundings } from '../config.ts';
import { OpsError } from '../ops-error.ts';
import { toOpsError } from '../error-translation.ts';
import type { AuditStatusFlags, ExportFlags, HeadFlags, VerifyFlags } from './audit-verbs.ts';
import type { CommandContext } from './command-context.ts';
import { withStore } from './open-store.ts';
import { printJson, printLine, say, type Terminal } from './terminal.ts';

const foundExitCode = 1;
/** An intent younger than this is most likely still under way. */
const openAfterMs = 60_000;
const shownIntents = 20;

/** `holdfast audit verify` */
export const verify = async (
  { terminal, end }: CommandContext,
  flags: VerifyFlags,
): Promise<void> => {
  const outside = await coded(outsideOf(flags));
  const { file } = flags;
  const verified =
    file === undefined
      ? await withLog(async (store, log) => verifyDatabase({ store, log }, outside))
      : await coded(verifyFile(path.resolve(file), outside));
  const { size, root, finding, anchored } = verified;
  if (flags.json === true) {
    const hex = Buffer.from(root).toString('hex');
    printJson(terminal, { ok: finding === undefined, size, root: hex, anchored, finding });
  } else if (finding === undefined) printSound(terminal, verified, flags);
  else printLine(terminal, findingText(finding));
  if (finding !== undefined) end(foundExitCode);
};

interface Outside {
  heads: { size: number; root: Buffer }[];
  leaves: Uint8Array[];
}

const outsideOf = async ({ head, key }: VerifyFlags): Promise<Outside> =>
  head === undefined ? { heads: [], leaves: [] } : readHeads(path.resolve(head), key);

const known = { hash: sha256, log: postgres.operationsLog };

const verifyDatabase = async (
  { store, log }: { store: postgres.Store; log: AuditLog },
  outside: Outside,
): Promise<AuditVerification> => {
  const claimedSize = (await postgres.lastAuditHead(store))?.size;
  const people = await log.people();
  const anchor = { ...outside, claimedSize };
  return verifyRecords({ ...known, people, anchor }, log.read({ from: 0 }));
};

const verifyFile = async (file: string, anchor: Outside): Promise<AuditVerification> => {
  const people = await peopleInExport(file);
  return verifyRecords({ ...known, people, anchor }, readExport(file));
};

const printSound = (
  terminal: Terminal,
  { size, anchored }: AuditVerification,
  { head }: VerifyFlags,
): void => {
  printLine(
    terminal,
    `${String(size)} records, each as it was recorded, none missing between them`,
  );
  if (head !== undefined) {
    printLine(terminal, `${String(anchored)} of them are vouched for by a head from outside`);
    return;
  }
  say(
    terminal,
    'No head from outside was compared: records cut off at the end, an older state, or hashes that were all made anew would not be seen.',
  );
  say(terminal, 'next: run it with --head and the directory that heads are exported to.');
};

const findingText = ({ damage, position, upTo, detail }: AuditFinding): string =>
  upTo === undefined
    ? `record ${String(position)}: ${damage}: ${detail}`
    : `one of the records ${String(position)} to ${String(upTo)}: ${damage}: ${detail}`;

/** `holdfast audit export` */
export const exportRecords = async (
  { terminal }: CommandContext,
  { format }: ExportFlags,
): Promise<void> =>
  withLog(async (_store, log) => {
    const people = new Map((await log.people()).map((person) => [person.ref, person]));
    for await (const record of log.read({ from: 0 })) {
      const line =
        format === 'jsonl'
          ? exportLine(record, people)
          : JSON.stringify(recordEvent(postgres.auditOrigin, record));
      printLine(terminal, line);
    }
  });

/** @throws CONFIGURATION_INVALID where nobody said where the key is, and a bucket cannot have it */
const headKeyFile = ({ keyFile }: HeadFlags): string => {
  if (keyFile !== undefined) return path.resolve(keyFile);
  const { blobEnvironment } = readSurroundings();
  const location = blobSettingsOf(blobEnvironment)?.location;
  if (location?.kind === 'directory') return auditKeyIn(location.directory);
  throw new OpsError({
    code: 'CONFIGURATION_INVALID',
    message:
      'The key that heads are signed with is not known: blobs are in a bucket. Nothing was signed.',
    next: 'Set HOLDFAST_AUDIT_KEY to its file, as for the workers.',
  });
};

/** `holdfast audit head` */
export const head = async ({ terminal, end }: CommandContext, flags: HeadFlags): Promise<void> => {
  const keyFile = headKeyFile(flags);
  const targets = await coded(Promise.resolve().then(() => exportTargets(flags.to)));
  const exported = await withLog(async (store, log) => {
    const signer = await openHeadSigner(keyFile, postgres.auditOrigin);
    const exporter = postgres.createAuditExport({ store, log, signer, keyFile, targets });
    const failures = await exporter.run(Date.now(), { atOnce: true });
    const last = await postgres.lastAuditHead(store);
    return { last, failures, verifierKey: signer.verifierKey };
  });
  const { last, failures, verifierKey } = exported;
  if (flags.json === true) printJson(terminal, { head: last ?? null, verifierKey, failures });
  else if (last === undefined) say(terminal, 'Nothing is recorded yet; there is no head.');
  else terminal.stdout.write(last.note);
  if (flags.json !== true) say(terminal, `key: ${verifierKey}`);
  for (const failure of failures) say(terminal, `not exported yet: ${failure}; it is tried again.`);
  if (failures.length > 0) end(foundExitCode);
};

/** `holdfast audit status` */
export const status = async (
  { terminal, end }: CommandContext,
  flags: AuditStatusFlags,
): Promise<void> => {
  const found = await withLog(async (store, log) => {
    const before = await postgres.outboxStatus(store);
    for (const { target, dead } of before) {
      if (flags.retryRefused === true && dead > 0) await postgres.reviveDead(store, target);
    }
    const beforeMs = Date.now() - openAfterMs;
    return {
      size: await log.size(),
      head: (await postgres.lastAuditHead(store)) ?? null,
      targets: await postgres.outboxStatus(store),
      openIntents: await log.openIntents({ beforeMs, limit: shownIntents }),
    };
  });
  if (flags.json === true) printJson(terminal, found);
  else printStatus(terminal, found);
  if (found.targets.some(({ failures, dead }) => failures > 0 || dead > 0)) end(foundExitCode);
};

interface AuditStatus {
  size: number;
  head: postgres.AuditHead | null;
  targets: postgres.OutboxStatus[];
  openIntents: { position: number; atMs: number; action: string; correlation: string }[];
}

const printStatus = (
  terminal: Terminal,
  { size, head, targets, openIntents }: AuditStatus,
): void => {
  printLine(terminal, `records  ${String(size)}`);
  const signed = head === null ? 'none' : `${String(head.size)} records, ${moment(head.madeAtMs)}`;
  printLine(terminal, `head     ${signed}`);
  for (const target of targets) printLine(terminal, `target   ${targetText(target)}`);
  if (targets.length === 0) printLine(terminal, 'target   none: heads stay in the database');
  for (const { position, atMs, action, correlation } of openIntents) {
    printLine(
      terminal,
      `open     ${action} since ${moment(atMs)}, record ${String(position)}, ${correlation}`,
    );
  }
};

const targetText = (status: postgres.OutboxStatus): string => {
  const { target, waiting, dead, failures, lastError, failingSinceMs } = status;
  const refused = dead > 0 ? `, ${String(dead)} refused` : '';
  if (failures === 0) return `${target}: ${String(waiting)} waiting${refused}`;
  const since = failingSinceMs === null ? '' : ` since ${moment(failingSinceMs)}`;
  return `${target}: does not answer${since} (${lastError ?? ''}), ${String(waiting)} waiting${refused}`;
};

const moment = (atMs: number): string => new Date(atMs).toISOString();

const withLog = async <Result>(
  use: (store: postgres.Store, log: AuditLog) => Promise<Result>,
): Promise<Result> =>
  withStore(async (store) => {
    await postgres.requireCurrent(store);
    return use(store, postgres.createPostgresAuditLog({ store }));
  }, 'The audit log is off, because there is no database');

const coded = async <Outcome>(call: Promise<Outcome>): Promise<Outcome> =>
  call.catch((error: unknown) => {
    throw toOpsError(error);
  });
