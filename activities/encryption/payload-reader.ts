import type { Payload } from '@temporalio/common';
import type { KeyRing } from './port.ts';
import { isSealed, openPayload } from './sealed-payload.ts';

/** What someone who reads histories gets to see. */
export interface ReadPayloads {
  /** As many as were given, in their order. */
  payloads: Payload[];
  opened: number;
  refused: number;
}

/**
 * Opens the payloads of a namespace for a reader. One that cannot be opened goes back sealed: a
 * history with a revoked key in it stays readable in all its other places.
 */
export const readPayloads = async (
  ring: KeyRing,
  payloads: readonly Payload[],
  namespace: string,
): Promise<ReadPayloads> => {
  const sealed = payloads.filter(isSealed).length;
  let refused = 0;
  const read = payloads.map(async (payload) => {
    if (!isSealed(payload)) return payload;
    try {
      return await openPayload(payload, ring, { namespace });
    } catch {
      refused += 1;
      return payload;
    }
  });
  const answer = await Promise.all(read);
  return { payloads: answer, opened: sealed - refused, refused };
};
