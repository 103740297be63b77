import type { TimeoutProfile } from '../../activities/contracts/port.ts';
import { codedErrorOf, codedFailure } from './failures.ts';
import { contracts } from './ports.ts';

/**
 * The first activity of every run: callers validate too, but a run can also be started
 * from the Temporal UI or a schedule. Defaults are applied here and recorded by the history.
 */
export const parseInput = async (
  contract: string,
  value: unknown,
): Promise<{ input: unknown; timeoutProfile: TimeoutProfile }> => {
  try {
    const parsed = await contracts.parse(
      { contract, value },
      { summary: 'validate the input and apply defaults' },
    );
    return { input: parsed.value, timeoutProfile: parsed.timeoutProfile };
  } catch (error) {
    // The run fails with the code itself, not with a failed activity around it.
    throw codedFailure(codedErrorOf(error));
  }
};
