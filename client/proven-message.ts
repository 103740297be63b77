import type { UpdateName } from '../contracts/messages.ts';
import { OpsError } from './ops-error.ts';
import type { RunHandleParts } from './run-handle.ts';
import { readRunInput } from './run-input.ts';
import { questionAbout } from './run-question.ts';

/** A message as its schema reads it. */
interface Unproven {
  actor: string;
  proof?: string | undefined;
}

/** How a message is proven. */
export interface ProvingParts extends RunHandleParts {
  /** It is shown and not sent, so that without a proof it is worth nothing. */
  isForPasting?: boolean;
  lifetimeMs?: number;
}

/**
 * The message with the proof of who sends it, for this run alone.
 *
 * @throws IDENTITY_UNPROVEN, PERMISSION_DENIED; nothing was sent then
 */
export const provenMessage = async <Sent extends Unproven>(
  { caller, handle, useCase, runId, isForPasting, lifetimeMs }: ProvingParts,
  name: UpdateName,
  message: Sent,
): Promise<Sent> => {
  if (message.proof !== undefined) return message;
  if (!caller.isProven) {
    if (isForPasting === true) throw nothingToSignWith();
    // An access configuration without a credential still refuses here, before anything is sent.
    await caller.permit(message.actor, {
      action: `${useCase}.${name}`,
      environment: '',
      service: '',
    });
    return message;
  }
  const action = `${useCase}.${name}`;
  await caller.permit(message.actor, {
    action,
    ...questionAbout(useCase, await readRunInput(handle)),
  });
  const proof = await caller.prove({
    workflowId: handle.workflowId,
    // A copy must not fit the next run of the same name.
    runId: runId ?? (await handle.describe()).runId,
    action,
    ...('planDigest' in message ? { planDigest: String(message.planDigest) } : {}),
    content: message,
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
  });
  return proof === undefined ? message : { ...message, proof };
};

const nothingToSignWith = (): OpsError =>
  new OpsError({
    code: 'IDENTITY_UNPROVEN',
    message: 'There is neither an access key nor an access token to sign with. Nothing was signed.',
  });
