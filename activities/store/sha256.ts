import { hash } from 'node:crypto';

/** The hash that the domain is given for records and trees. */
export const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');
