/** The parts of the audit log that need no database. */
export { recordEvent } from './cloud-event.ts';
export { exportLine, peopleInExport, readExport } from './export-line.ts';
export { exportTargets } from './export-targets.ts';
export { readHeads } from './head-directory.ts';
export { openHeadSigner } from './head-signer.ts';
export { auditKeyIn, waitingEntriesIn } from './key-place.ts';
export { createWaitingEntries } from './waiting-entries.ts';
