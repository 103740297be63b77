import { exportTargets, type ExportTarget } from '../activities/store/audit/export-targets.ts';
import { auditKeyIn } from '../activities/store/audit/key-place.ts';
import { orProblem } from './setting-problems.ts';

/** The audit log is on where there is a database; heads need a key too. */
export interface AuditConfig {
  /** Key that heads are signed with; undefined: none are signed here. */
  keyFile: string | undefined;
  targets: readonly ExportTarget[];
  headEveryMs: number;
}

interface AuditSettings {
  HOLDFAST_AUDIT_KEY?: string | undefined;
  HOLDFAST_AUDIT_EXPORT?: string | undefined;
  HOLDFAST_AUDIT_HEAD_EVERY_MS: number;
  /** Where blobs are in one: the key is beside them unless it is named. */
  blobsDirectory: string | undefined;
}

export const auditConfig = (settings: AuditSettings, problems: string[]): AuditConfig => {
  const { HOLDFAST_AUDIT_EXPORT: asked, HOLDFAST_AUDIT_KEY: named, blobsDirectory } = settings;
  const keyFile = named ?? (blobsDirectory === undefined ? undefined : auditKeyIn(blobsDirectory));
  if (keyFile === undefined && asked !== undefined) {
    problems.push('HOLDFAST_AUDIT_KEY: must be set where HOLDFAST_BLOBS is no directory');
  }
  return {
    keyFile,
    targets: orProblem(() => exportTargets(asked), problems) ?? [],
    headEveryMs: settings.HOLDFAST_AUDIT_HEAD_EVERY_MS,
  };
};
