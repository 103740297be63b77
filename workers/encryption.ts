import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { createPayloadCodec, openKeyRing } from '../activities/encryption/index.ts';
import type { KeyRing } from '../activities/encryption/port.ts';
import { codedErrorOf } from '../activities/coded-failure.ts';
import { StartError } from './start-error.ts';

/** How the workers of this process write to Temporal and read from it. */
export interface Encryption {
  /** Absent: nothing is sealed. */
  ring: KeyRing | undefined;
  /** For every worker and every client of the process. */
  dataConverter: DataConverter;
}

const failureConverter = `./sealed-failures${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`;

/** @throws StartError if there is a key ring and it cannot be used */
export const openEncryption = async (keyRingFile: string | undefined): Promise<Encryption> => {
  if (keyRingFile === undefined) {
    return { ring: undefined, dataConverter: { payloadCodecs: [createPayloadCodec(undefined)] } };
  }
  const ring = await openKeyRing(keyRingFile).catch((error: unknown) => {
    const coded = codedErrorOf(error);
    if (coded === undefined) throw error;
    throw new StartError(coded.code, `The worker was not started. ${coded.message}`, [
      `HOLDFAST_KEY_RING: ${coded.next ?? ''}`,
    ]);
  });
  return {
    ring,
    dataConverter: {
      payloadCodecs: [createPayloadCodec(ring)],
      failureConverterPath: fileURLToPath(new URL(failureConverter, import.meta.url)),
    },
  };
};
