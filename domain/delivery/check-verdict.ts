import type { GateResult } from './gate.ts';

/** A check as the release names it. */
type NamedCheck =
  | { readonly path: string }
  | { readonly url: string }
  | { readonly exec: readonly string[] }
  | { readonly job: { readonly metadata: { readonly name: string } } };

const longestName = 80;

const nameOf = (check: NamedCheck): string => {
  if ('path' in check) return check.path;
  if ('url' in check) return check.url;
  if ('exec' in check) return `exec ${check.exec.join(' ')}`;
  return `job ${check.job.metadata.name}`;
};

/** How checks are called in gates and reports; of two of one name the second says so. */
export const checkNames = (checks: readonly NamedCheck[]): string[] => {
  const names = checks.map((check) => nameOf(check).slice(0, longestName));
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (${String(before + 1)})`;
  });
};

/** How a command inside a pod ended. */
interface CommandEnd {
  /** Null where it did not end by itself, or could not be started. */
  readonly exitCode: number | null;
  /** The end of what it wrote, or why it did not run. */
  readonly answer: string;
}

/** Exit code 0 passes; a command that did not end proves nothing good, and was asked to end. */
export const judgeCommand = (name: string, { exitCode, answer }: CommandEnd): GateResult => {
  const said = answer === '' ? '' : `: ${answer}`;
  const counts = { name, samples: 1 };
  if (exitCode === 0) return { ...counts, verdict: 'pass', failures: 0, note: 'exit code 0' };
  const how = exitCode === null ? 'did not end well' : `exit code ${String(exitCode)}`;
  return { ...counts, verdict: 'fail', failures: 1, note: `${how}${said}` };
};

/** How far a Job got. */
type JobEnd = 'complete' | 'failed' | 'unfinished' | 'gone';

/** Only a complete Job passes; one that neither completed nor failed is no data. */
export const judgeJob = (name: string, end: JobEnd, note: string): GateResult => {
  const counts = { name, note, samples: 1 };
  if (end === 'complete') return { ...counts, verdict: 'pass', failures: 0 };
  if (end === 'failed') return { ...counts, verdict: 'fail', failures: 1 };
  return { ...counts, verdict: 'no-data', failures: 0, samples: 0 };
};

/**
 * The verdict on checks together. A failure goes before missing data, and both before what
 * could not be measured here: a gate passes only where each of its checks did.
 */
const order = ['fail', 'no-data', 'not-measured', 'pass'] as const;

export const combineChecks = (name: string, results: readonly GateResult[]): GateResult => {
  const samples = results.reduce((sum, result) => sum + result.samples, 0);
  const failures = results.reduce((sum, result) => sum + result.failures, 0);
  const verdict = order.find((one) => results.some((result) => result.verdict === one));
  if (verdict === undefined) {
    return { name, verdict: 'no-data', note: 'no check was answered for', samples, failures };
  }
  const deciding = results.filter((result) => result.verdict === verdict);
  const note =
    verdict === 'pass'
      ? `${String(samples)} of ${String(samples)} passed`
      : deciding.map((result) => `${result.name}: ${result.note}`).join('; ');
  return { name, verdict, note, samples, failures };
};
