import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { codedFailure } from '../../coded-failure.ts';

/** Where heads go: by its address, which is its name in the outbox. */
export interface ExportTarget {
  name: string;
  /** A directory needs the heads only; whoever receives events gets the records too. */
  wantsRecords: boolean;
}

/**
 * Reads directories and addresses, separated by commas. What leaves this machine is encrypted.
 * @throws CONFIGURATION_INVALID
 */
export const exportTargets = (text: string | undefined): ExportTarget[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(targetOf);

const targetOf = (text: string): ExportTarget => {
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) {
    return { name: pathToFileURL(path.resolve(text)).href, wantsRecords: false };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPrivate = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url));
  if (url !== undefined && isPrivate && url.username === '') {
    return { name: url.href, wantsRecords: true };
  }
  throw codedFailure({
    code: 'CONFIGURATION_INVALID',
    message:
      'HOLDFAST_AUDIT_EXPORT must be directories and https addresses without credentials, separated by commas; http is for this machine only.',
    subject: 'HOLDFAST_AUDIT_EXPORT',
  });
};

const isLoopback = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
