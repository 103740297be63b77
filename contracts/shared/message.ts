import { z } from 'zod';
import { messageLimits } from '../messages.ts';
import { Digest } from './names.ts';

/** Schema of `Message` in `contracts/messages.ts`. */
export const MessageSchema = z
  .strictObject({
    actor: z.string().min(1).max(messageLimits.actorChars).describe('Who asks.'),
    reason: z.string().min(1).max(messageLimits.reasonChars).describe('Why, in one sentence.'),
    proof: z
      .string()
      .max(messageLimits.proofChars)
      .optional()
      .describe('A signature or token that proves the actor.'),
  })
  .describe('What every message carries.');

/** Schema of `PlanDecision` in `contracts/messages.ts`. */
export const PlanDecisionSchema = MessageSchema.extend({
  planDigest: Digest.describe('Digest of the plan that was read.'),
}).describe('A decision that is valid for one plan only.');

/** Schema of `LockResolution` in `contracts/delivery/service-lock.ts`. */
export const LockResolutionSchema = MessageSchema.extend({
  action: z
    .enum(['restore', 'adopt', 'release'])
    .describe(
      '`restore` undoes what the dead holder did, `adopt` keeps what is live, `release` only frees the lock.',
    ),
}).describe('Decides about a lock whose holder died.');

/** Schema of `WeightRequest` in `contracts/messages.ts`. */
export const WeightRequestSchema = MessageSchema.extend({
  weightPercent: z.number().int().min(0).max(100).describe('Share for the new version.'),
}).describe('Asks for a share of the traffic.');
