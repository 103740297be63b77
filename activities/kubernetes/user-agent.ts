import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Attempt } from './activity-attempt.ts';

const readVersion = (directory: string): string => {
  for (let folder = directory; ; folder = path.dirname(folder)) {
    try {
      const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
      const manifest = JSON.parse(text) as { version?: string };
      return manifest.version ?? 'unknown';
    } catch {
      if (path.dirname(folder) === folder) return 'unknown';
    }
  }
};

let version: string | undefined;

/** Letters that a header may not hold, and those that separate its parts. */
const unfit = /[^\x20-\x7e]|[()]/g;

/** Names the step behind each request, so that the audit log of the cluster shows who wrote. */
export const userAgentOf = (attempt: Attempt): string => {
  version ??= readVersion(import.meta.dirname);
  return `holdfast/${version} (${attempt.step.replaceAll(unfit, '?')})`;
};
