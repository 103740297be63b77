import type { PayloadCodec, SerializationContext } from '@temporalio/common';
import type { PayloadScope } from '../../domain/security/payload-scope.ts';
import { codedFailure } from '../coded-failure.ts';
import type { KeyRing } from './port.ts';
import { isSealed, openPayload, sealPayload } from './sealed-payload.ts';

/** Stands for the ring where there is none: what is sealed is refused by the id of its key. */
const noRing: Pick<KeyRing, 'find'> = {
  find: async (id) => {
    throw codedFailure({
      code: 'PAYLOAD_KEY_MISSING',
      message: `A payload is sealed with the key ${id}, and no key ring is configured here; it was not opened.`,
      subject: id,
    });
  },
};

const scopeOf = (context: SerializationContext | undefined): PayloadScope => {
  if (context === undefined) return {};
  const { namespace, workflowId } = context;
  // An activity outside of any run has an empty id on the one side and none on the other.
  return { namespace, workflowId: workflowId === '' ? undefined : workflowId };
};

/**
 * Seals what is written with the active key of the ring and opens what any of its keys sealed.
 * Payloads that are not sealed are read as they are, so that runs from before go on. Without a
 * ring nothing is sealed.
 */
export const createPayloadCodec = (ring: KeyRing | undefined): PayloadCodec => ({
  encode: async (payloads, context) => {
    if (ring === undefined) return payloads;
    const key = await ring.active();
    const scope = scopeOf(context);
    return payloads.map((payload) => sealPayload(payload, key, scope));
  },
  decode: async (payloads, context) => {
    const here = scopeOf(context);
    return Promise.all(
      payloads.map(async (payload) =>
        isSealed(payload) ? openPayload(payload, ring ?? noRing, here) : payload,
      ),
    );
  },
});
