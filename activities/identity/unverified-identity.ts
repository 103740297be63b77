import type { Identity } from './port.ts';

/** Takes every actor at their word, and says so in the evidence. */
export const createUnverifiedIdentity = (): Identity => ({
  verify: ({ actor, proof }) =>
    Promise.resolve({
      actor,
      verification: 'unverified',
      note:
        proof === undefined
          ? 'identity unverified: no proof was sent'
          : 'identity unverified: a proof was sent, but this installation checks none',
    }),
});
