import path from 'node:path';
import { codedFailure } from '../coded-failure.ts';
import { requirePrivateEndpoint } from '../private-endpoint.ts';
import type { KeyManagement } from './port.ts';
import { createRingKeyManagement } from './ring-key-management.ts';
import { createTransitKeyManagement, type TransitKey } from './transit-key-management.ts';

/** The variables that say who keeps the keys of blobs; an empty one counts as absent. */
export interface KeyEnvironment {
  HOLDFAST_BLOB_KEYS?: string | undefined;
  VAULT_TOKEN?: string | undefined;
}

export type KeyManagementSettings =
  { kind: 'key ring'; file: string } | { kind: 'transit'; transit: TransitKey };

const setting = 'HOLDFAST_BLOB_KEYS';
const scheme = 'vault://';
const keyPattern = /^[\w-]{1,100}$/;
const mountPattern = /^[\w-]{1,100}(?:\/[\w-]{1,100}){0,5}$/;

const invalid = (reason: string): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `${setting} ${reason}. Nothing was connected.`,
    next: 'Name the file of a key ring, or vault://KEY?endpoint=https://host:8200&mount=transit.',
    subject: setting,
  });

/**
 * Who keeps the keys that blobs are sealed with; undefined if nothing names anyone. A file is a
 * key ring, `vault://KEY?endpoint=…&mount=…` a key of a transit engine.
 *
 * @throws CONFIGURATION_INVALID, STORE_NOT_PRIVATE
 */
export const keyManagementOf = (environment: KeyEnvironment): KeyManagementSettings | undefined => {
  const { [setting]: named, VAULT_TOKEN: token } = environment;
  if (named === undefined || named === '') return undefined;
  if (named.startsWith(scheme)) return { kind: 'transit', transit: transitOf(named, token) };
  if (/^[a-z0-9+-]+:\/\//i.test(named)) throw invalid('names no key management that is known');
  return { kind: 'key ring', file: path.resolve(named) };
};

const transitOf = (named: string, token: string | undefined): TransitKey => {
  const [key = '', query = ''] = named.slice(scheme.length).split('?');
  const parameters = new URLSearchParams(query);
  const mount = parameters.get('mount') ?? 'transit';
  if (!keyPattern.test(key)) throw invalid('names no key');
  if (!mountPattern.test(mount)) throw invalid('has a mount that is none');
  if (token === undefined || token === '') {
    throw invalid('names a key of a transit engine, and VAULT_TOKEN is missing');
  }
  const endpoint = requirePrivateEndpoint(parameters.get('endpoint') ?? '', setting);
  return { endpoint, mount, key, token };
};

/** Nothing is asked before the first data key. */
export const openKeyManagement = (settings: KeyManagementSettings): KeyManagement =>
  settings.kind === 'transit'
    ? createTransitKeyManagement(settings.transit)
    : createRingKeyManagement(settings.file);
