import { Duration } from '../../contracts/shared/duration.ts';
import { OpsError } from '../ops-error.ts';

/** A length of time on the command line, in milliseconds. @throws INVALID_INPUT */
export const parseDurationFlag = (flag: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const outcome = Duration.safeParse(text);
  if (outcome.success) return outcome.data;
  const reason = outcome.error.issues[0]?.message ?? 'is not a length of time';
  throw new OpsError({
    code: 'INVALID_INPUT',
    message: `--${flag}: ${reason}. Nothing was done.`,
    subject: `--${flag}`,
  });
};
