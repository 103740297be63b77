import { codedErrorOf } from '../activities/coded-failure.ts';

/** What a setting means; what is wrong with it is reported, and it counts as unset. */
export const orProblem = <Meaning>(
  read: () => Meaning,
  problems: string[],
): Meaning | undefined => {
  try {
    return read();
  } catch (error) {
    problems.push(codedErrorOf(error)?.message ?? String(error));
    return undefined;
  }
};
