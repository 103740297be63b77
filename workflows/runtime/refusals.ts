import { currentUpdateInfo, proxySinks, type Sinks } from '@temporalio/workflow';
import { messageLimits, type Message, type RefusedMessage } from '../../contracts/messages.ts';

interface RefusalSinks extends Sinks {
  refusals: { tell(refused: RefusedMessage): void };
}

const { refusals } = proxySinks<RefusalSinks>();

/**
 * Tells the worker that a message was refused. A refusal leaves nothing in the history, so that no
 * activity can do this; the worker hears of it once, and not at all if it dies at this moment.
 */
export const tellRefusal = (action: string, message: unknown, why: string): void => {
  const id = currentUpdateInfo()?.id;
  if (id === undefined) return;
  const { actor, reason } = Object(message) as Partial<Message>;
  refusals.tell({
    id,
    action,
    actor: textOf(actor, messageLimits.actorChars),
    reason: textOf(reason, messageLimits.reasonChars),
    why,
  });
};

/** Whatever was sent: nobody has checked its shape. */
const textOf = (value: unknown, maxChars: number): string =>
  typeof value === 'string' && value !== '' ? value.slice(0, maxChars).toWellFormed() : 'not told';
